// The gofer as a process: what it serves, what it refuses, and what it may do.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "bin/runsc-gofer/gofer_process.h"

namespace runsc::gofer {
namespace {

namespace stdfs = std::filesystem;

constexpr char kBinary[] = "bin/runsc-gofer/runsc-gofer";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class GoferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    char pattern[] = "/tmp/gofer_test.XXXXXX";
    base_ = mkdtemp(pattern);
    root_ = base_ + "/root";
    stdfs::create_directories(root_ + "/dir/sub");
    std::ofstream(base_ + "/secret") << "secret";
    std::ofstream(root_ + "/dir/file") << "content";
    stdfs::create_symlink("../../../secret", root_ + "/dir/escape");
    stdfs::create_symlink("/", root_ + "/dir/slash");
    request_.set_root(root_);
  }
  void TearDown() override {
    gofer_.reset();
    if (!base_.empty()) stdfs::remove_all(base_);
  }
  // Starts the gofer; the root's first connection is channel_.
  void Start() {
    auto started = GoferProcess::Start(kBinary, request_);
    ASSERT_TRUE(started.ok()) << started.error().ToString();
    gofer_ = std::move(*started);
    channel_ = gofer_->TakeChannel(0);
    fs::FsRequest attach;
    attach.mutable_attach();
    auto reply = Call(channel_, attach);
    ASSERT_TRUE(reply.ok()) << reply.error().ToString();
    attached_ = reply->message.attach();
    root_handle_ = attached_.root().handle();
  }
  std::string StartError() {
    auto started = GoferProcess::Start(kBinary, request_);
    return started.ok() ? "" : started.error().ToString();
  }
  BindMount* AddMount(const std::string& source, const std::string& destination) {
    BindMount* mount = request_.add_mounts();
    mount->set_source(source);
    mount->set_destination(destination);
    return mount;
  }
  Result<Received<fs::FsReply>> WalkOn(Channel& channel, uint64_t handle,
                                       std::vector<std::string> names,
                                       fs::Access open = fs::ACCESS_NONE) {
    fs::FsRequest request;
    request.mutable_walk()->set_handle(handle);
    for (const std::string& name : names) request.mutable_walk()->add_names(name);
    request.mutable_walk()->set_open(open);
    return Call(channel, request);
  }
  Result<Received<fs::FsReply>> Walk(std::vector<std::string> names,
                                     fs::Access open = fs::ACCESS_NONE) {
    return WalkOn(channel_, root_handle_, std::move(names), open);
  }
  uint64_t HandleOf(std::vector<std::string> names) {
    size_t count = names.size();
    auto reply = Walk(std::move(names));
    if (!reply.ok() || static_cast<size_t>(reply->message.walk().nodes_size()) != count) return 0;
    return reply->message.walk().nodes().rbegin()->handle();
  }
  fs::FsRequest MakeRequestFor(const std::string& name, mode_t mode) {
    fs::FsRequest request;
    request.mutable_make()->set_parent(root_handle_);
    request.mutable_make()->set_name(name);
    request.mutable_make()->set_mode(mode);
    return request;
  }

  std::string base_, root_;
  GoferRequest request_;
  std::unique_ptr<GoferProcess> gofer_;
  Channel channel_;
  fs::AttachReply attached_;
  uint64_t root_handle_ = 0;
};

TEST_F(GoferTest, WalkReturnsEachComponentWithAttributesAndAnOpenFile) {
  Start();
  auto reply = Walk({"dir", "file"}, fs::ACCESS_READ);
  ASSERT_TRUE(reply.ok());
  const fs::WalkReply& walk = reply->message.walk();
  ASSERT_EQ(walk.nodes_size(), 2);
  EXPECT_TRUE(S_ISDIR(walk.nodes(0).attributes().mode()));
  EXPECT_EQ(walk.nodes(1).attributes().size(), 7u);
  EXPECT_TRUE(walk.opened());
  auto fd = reply->TakeFd(0);
  ASSERT_TRUE(fd.ok());
  char buffer[8] = {};
  EXPECT_EQ(read(fd->get(), buffer, sizeof(buffer)), 7);
  EXPECT_STREQ(buffer, "content");
  EXPECT_EQ(fcntl(fd->get(), F_GETFL) & O_ACCMODE, O_RDONLY);
}

TEST_F(GoferTest, WalkStopsAtWhatIsMissing) {
  Start();
  auto reply = Walk({"dir", "none", "below"});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->message.walk().nodes_size(), 1);
  EXPECT_EQ(reply->message.walk().error(), ENOENT);
}

TEST_F(GoferTest, SymbolicLinksAreReportedAndNeverFollowed) {
  Start();
  auto reply = Walk({"dir", "slash", "etc", "passwd"}, fs::ACCESS_READ);
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->message.walk().nodes_size(), 2);
  EXPECT_EQ(reply->message.walk().nodes(1).link_target(), "/");
  EXPECT_FALSE(reply->message.walk().opened());
  reply = Walk({"dir", "escape"}, fs::ACCESS_READ);
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(S_ISLNK(reply->message.walk().nodes(1).attributes().mode()));
  EXPECT_FALSE(reply->message.walk().opened());

  fs::FsRequest open;
  open.mutable_open()->set_handle(reply->message.walk().nodes(1).handle());
  open.mutable_open()->set_access(fs::ACCESS_READ);
  EXPECT_EQ(Call(channel_, open).code(), EINVAL);
}

TEST_F(GoferTest, NamesThatAreNotOneComponentAreRefused) {
  Start();
  for (const std::string& name :
       {std::string(".."), std::string("."), std::string(), std::string("dir/file"),
        std::string("/"), std::string("/etc"), std::string("a\0b", 3), std::string(300, 'x')}) {
    int expected = name.size() > 255 ? ENAMETOOLONG : EINVAL;
    EXPECT_EQ(Walk({name}).code(), expected) << name;
    EXPECT_EQ(Walk({"dir", name}).code(), expected) << name;
    EXPECT_EQ(Call(channel_, MakeRequestFor(name, S_IFDIR | 0755)).code(), expected) << name;
    fs::FsRequest request;
    request.mutable_remove()->set_parent(root_handle_);
    request.mutable_remove()->set_name(name);
    EXPECT_EQ(Call(channel_, request).code(), expected) << name;
    request.mutable_rename()->set_old_parent(root_handle_);
    request.mutable_rename()->set_old_name("dir");
    request.mutable_rename()->set_new_parent(root_handle_);
    request.mutable_rename()->set_new_name(name);
    EXPECT_EQ(Call(channel_, request).code(), expected) << name;
    request.mutable_link()->set_handle(HandleOf({"dir", "file"}));
    request.mutable_link()->set_parent(root_handle_);
    request.mutable_link()->set_name(name);
    EXPECT_EQ(Call(channel_, request).code(), expected) << name;
  }
}

TEST_F(GoferTest, UnknownAndClosedHandlesAreRefused) {
  Start();
  for (uint64_t handle : {uint64_t{0}, root_handle_ + 1000, ~uint64_t{0}}) {
    EXPECT_EQ(WalkOn(channel_, handle, {"dir"}).code(), EBADF);
    fs::FsRequest request;
    request.mutable_open()->set_handle(handle);
    request.mutable_open()->set_access(fs::ACCESS_READ);
    EXPECT_EQ(Call(channel_, request).code(), EBADF);
  }
  uint64_t handle = HandleOf({"dir"});
  fs::FsRequest request;
  request.add_close(handle);
  request.mutable_get_attributes()->set_handle(handle);
  EXPECT_EQ(Call(channel_, request).code(), EBADF);
}

TEST_F(GoferTest, NewConnectionKnowsTheSameHandles) {
  Start();
  uint64_t directory = HandleOf({"dir"});
  fs::FsRequest connect;
  connect.mutable_connect();
  auto reply = Call(channel_, connect);
  ASSERT_TRUE(reply.ok());
  auto fd = reply->TakeFd(0);
  ASSERT_TRUE(fd.ok());
  Channel second(std::move(*fd), Conversation::kFs);
  EXPECT_TRUE(WalkOn(second, directory, {"file"}).ok());
}

TEST_F(GoferTest, ConnectionsOfATreeAreBounded) {
  Start();
  std::vector<FileDescriptor> connections;
  int error = 0;
  for (int i = 0; i < 100 && error == 0; ++i) {
    fs::FsRequest connect;
    connect.mutable_connect();
    auto reply = Call(channel_, connect);
    error = reply.code();
    if (reply.ok()) connections.push_back(std::move(*reply->TakeFd(0)));
  }
  EXPECT_EQ(error, EMFILE);
  EXPECT_LT(connections.size(), 20u);
}

TEST_F(GoferTest, MalformedMessageEndsItsConnectionOnly) {
  Start();
  fs::FsRequest connect;
  connect.mutable_connect();
  auto reply = Call(channel_, connect);
  ASSERT_TRUE(reply.ok());
  Channel second(std::move(*reply->TakeFd(0)), Conversation::kFs);
  ASSERT_TRUE(WalkOn(second, root_handle_, {"dir"}).ok());
  std::string garbage(50000, '\xff');
  ASSERT_GT(send(second.fd(), garbage.data(), garbage.size(), MSG_NOSIGNAL), 0);
  EXPECT_EQ(second.Receive<fs::FsReply>().code(), ECONNRESET);
  EXPECT_TRUE(Walk({"dir"}).ok());
}

TEST_F(GoferTest, GiantAndEmptyMessagesAreRefused) {
  Start();
  EXPECT_EQ(Call(channel_, fs::FsRequest()).code(), ENOSYS);
  std::vector<std::string> many(300, "x");
  EXPECT_EQ(Walk(many).code(), EINVAL);
  fs::FsRequest request;
  request.mutable_set_xattr()->set_value(std::string(1 << 20, 'x'));
  (void)channel_.Send(request);
  EXPECT_EQ(channel_.Receive<fs::FsReply>().code(), ECONNRESET);
}

TEST_F(GoferTest, DescriptorsFromTheClientAreClosed) {
  Start();
  auto count = [&] {
    return std::distance(
        stdfs::directory_iterator("/proc/" + std::to_string(gofer_->pid()) + "/fd"),
        stdfs::directory_iterator());
  };
  fs::FsRequest request;
  request.mutable_get_attributes()->set_handle(root_handle_);
  auto before = count();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(channel_.Send(request, {0, 0, 0}).ok());
    ASSERT_TRUE(channel_.Receive<fs::FsReply>().ok());
  }
  EXPECT_EQ(count(), before);
}

TEST_F(GoferTest, FilesOfAllTypesAreMadeWithOwnerAndMode) {
  Start();
  std::map<std::string, mode_t> kinds = {{"f", S_IFREG | 04751}, {"d", S_IFDIR | 01777},
                                         {"p", S_IFIFO | 0640},  {"s", S_IFSOCK | 0600},
                                         {"l", S_IFLNK | 0777},  {"w", S_IFCHR | 0}};
  for (auto [name, mode] : kinds) {
    fs::FsRequest request = MakeRequestFor(name, mode);
    request.mutable_make()->set_uid(1234);
    request.mutable_make()->set_gid(5678);
    request.mutable_make()->set_link_target("where/ever");
    auto reply = Call(channel_, request);
    ASSERT_TRUE(reply.ok()) << name << reply.error().ToString();
    struct stat stat;
    ASSERT_EQ(lstat((root_ + "/" + name).c_str(), &stat), 0) << name;
    EXPECT_EQ(stat.st_mode, mode) << name;
    EXPECT_EQ(stat.st_uid, 1234u);
    EXPECT_EQ(stat.st_gid, 5678u);
    EXPECT_EQ(reply->message.make().node().attributes().mode(), mode);
    EXPECT_EQ(Call(channel_, request).code(), EEXIST) << name;
  }
}

TEST_F(GoferTest, DeviceNodesNeedThePermission) {
  Start();
  fs::FsRequest request = MakeRequestFor("null", S_IFCHR | 0666);
  request.mutable_make()->set_device_number(makedev(1, 3));
  EXPECT_EQ(Call(channel_, request).code(), EPERM);
  gofer_.reset();
  request_.set_device_nodes(true);
  Start();
  EXPECT_TRUE(Call(channel_, request).ok());
}

TEST_F(GoferTest, ReadOnlyRootRefusesEveryChange) {
  request_.set_root_read_only(true);
  Start();
  EXPECT_TRUE(attached_.read_only());
  EXPECT_EQ(Call(channel_, MakeRequestFor("new", S_IFREG | 0644)).code(), EROFS);
  uint64_t file = HandleOf({"dir", "file"});
  fs::FsRequest request;
  request.mutable_open()->set_handle(file);
  request.mutable_open()->set_access(fs::ACCESS_READ_WRITE);
  EXPECT_EQ(Call(channel_, request).code(), EROFS);
  request.mutable_set_attributes()->set_handle(file);
  request.mutable_set_attributes()->set_mode(0777);
  EXPECT_EQ(Call(channel_, request).code(), EROFS);
  request.mutable_remove()->set_parent(root_handle_);
  request.mutable_remove()->set_name("dir");
  EXPECT_EQ(Call(channel_, request).code(), EROFS);
  auto walked = Walk({"dir", "file"}, fs::ACCESS_WRITE);
  ASSERT_TRUE(walked.ok());
  EXPECT_FALSE(walked->message.walk().opened());
}

TEST_F(GoferTest, DirectoryIsReadInParts) {
  for (int i = 0; i < 100; ++i) std::ofstream(root_ + "/dir/sub/f" + std::to_string(i)) << i;
  Start();
  std::map<std::string, uint64_t> seen;
  fs::FsRequest request;
  auto& read = *request.mutable_read_directory();
  read.set_handle(HandleOf({"dir", "sub"}));
  read.set_max_entries(7);
  for (int i = 0; i < 100; ++i) {
    auto reply = Call(channel_, request);
    ASSERT_TRUE(reply.ok());
    for (const auto& entry : reply->message.read_directory().entries()) {
      seen[entry.name()] = entry.attributes().size();
    }
    if (reply->message.read_directory().end()) break;
    read.set_cookie(reply->message.read_directory().next());
  }
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(seen["f42"], 2u);
}

TEST_F(GoferTest, AttributesChangeInOneMessage) {
  Start();
  fs::FsRequest request;
  auto& set = *request.mutable_set_attributes();
  set.set_handle(HandleOf({"dir", "file"}));
  set.set_size(3);
  set.set_uid(11);
  set.set_gid(12);
  set.set_mode(04755);
  set.mutable_modify_time()->mutable_value()->set_seconds(1000);
  auto reply = Call(channel_, request);
  ASSERT_TRUE(reply.ok());
  struct stat stat;
  ASSERT_EQ(::stat((root_ + "/dir/file").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_size, 3);
  EXPECT_EQ(stat.st_uid, 11u);
  EXPECT_EQ(stat.st_gid, 12u);
  EXPECT_EQ(stat.st_mode & 07777, 04755u);
  EXPECT_EQ(stat.st_mtime, 1000);
  EXPECT_EQ(reply->message.attributes().attributes().size(), 3u);
}

TEST_F(GoferTest, LinkRenameAndRemoveWork) {
  Start();
  fs::FsRequest request;
  request.mutable_link()->set_handle(HandleOf({"dir", "file"}));
  request.mutable_link()->set_parent(root_handle_);
  request.mutable_link()->set_name("second");
  auto reply = Call(channel_, request);
  ASSERT_TRUE(reply.ok()) << reply.error().ToString();
  EXPECT_EQ(reply->message.attributes().attributes().links(), 2u);

  request.mutable_rename()->set_old_parent(root_handle_);
  request.mutable_rename()->set_old_name("second");
  request.mutable_rename()->set_new_parent(HandleOf({"dir"}));
  request.mutable_rename()->set_new_name("third");
  request.mutable_rename()->set_no_replace(true);
  ASSERT_TRUE(Call(channel_, request).ok());
  EXPECT_EQ(ReadAll(root_ + "/dir/third"), "content");
  EXPECT_EQ(Call(channel_, request).code(), ENOENT);

  request.mutable_remove()->set_parent(HandleOf({"dir"}));
  request.mutable_remove()->set_name("third");
  ASSERT_TRUE(Call(channel_, request).ok());
  request.mutable_remove()->set_name("sub");
  EXPECT_EQ(Call(channel_, request).code(), EISDIR);
  request.mutable_remove()->set_directory(true);
  EXPECT_TRUE(Call(channel_, request).ok());
}

TEST_F(GoferTest, XattrsOfUsersButNotOfTheHost) {
  request_.set_xattrs(true);
  Start();
  uint64_t file = HandleOf({"dir", "file"});
  fs::FsRequest request;
  request.mutable_set_xattr()->set_handle(file);
  request.mutable_set_xattr()->set_name("user.color");
  request.mutable_set_xattr()->set_value("red");
  int error = Call(channel_, request).code();
  if (error == EOPNOTSUPP) GTEST_SKIP() << "no extended attributes in /tmp";
  ASSERT_EQ(error, 0);
  request.mutable_set_xattr()->set_name("security.selinux");
  EXPECT_EQ(Call(channel_, request).code(), EPERM);
  request.mutable_set_xattr()->set_name("trusted.color");
  EXPECT_EQ(Call(channel_, request).code(), EPERM);
  request.mutable_get_xattr()->set_handle(file);
  request.mutable_get_xattr()->set_name("user.color");
  auto reply = Call(channel_, request);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->message.xattr().value(), "red");
  request.mutable_list_xattr()->set_handle(file);
  reply = Call(channel_, request);
  ASSERT_TRUE(reply.ok());
  EXPECT_NE(reply->message.xattr().value().find("user.color"), std::string::npos);
  request.mutable_remove_xattr()->set_handle(file);
  request.mutable_remove_xattr()->set_name("user.color");
  EXPECT_TRUE(Call(channel_, request).ok());
}

TEST_F(GoferTest, XattrsAreRefusedWhenNotEnabled) {
  Start();
  fs::FsRequest request;
  request.mutable_list_xattr()->set_handle(HandleOf({"dir", "file"}));
  EXPECT_EQ(Call(channel_, request).code(), EOPNOTSUPP);
}

TEST_F(GoferTest, HostSocketsNeedThePermission) {
  FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "%s/dir/socket", root_.c_str());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  fs::FsRequest request;
  Start();
  request.mutable_connect_socket()->set_handle(HandleOf({"dir", "socket"}));
  request.mutable_connect_socket()->set_type(SOCK_STREAM);
  EXPECT_EQ(Call(channel_, request).code(), EPERM);
  gofer_.reset();
  request_.set_host_sockets(true);
  Start();
  request.mutable_connect_socket()->set_handle(HandleOf({"dir", "socket"}));
  auto reply = Call(channel_, request);
  ASSERT_TRUE(reply.ok()) << reply.error().ToString();
  EXPECT_TRUE(reply->TakeFd(0).ok());
}

TEST_F(GoferTest, MountPointsAreMadeWithTheKindOfTheSource) {
  std::ofstream(base_ + "/file") << "bound";
  AddMount(base_ + "/file", "/etc/new/name");
  stdfs::create_directories(base_ + "/source/inner");
  AddMount(base_ + "/source", "/dir/../mnt//point");
  AddMount(base_ + "/secret", "/mnt/point/inner/deep")->set_read_only(true);
  request_.set_working_directory("/work/here");
  Start();
  EXPECT_TRUE(stdfs::is_regular_file(root_ + "/etc/new/name"));
  EXPECT_TRUE(stdfs::is_directory(root_ + "/mnt/point"));
  EXPECT_TRUE(stdfs::is_directory(root_ + "/work/here"));
  EXPECT_TRUE(stdfs::is_regular_file(base_ + "/source/inner/deep"));
  ASSERT_EQ(attached_.mounts_size(), 3);
  EXPECT_EQ(attached_.mounts(0).destination(), "/etc/new/name");
  EXPECT_FALSE(attached_.mounts(0).is_directory());
  EXPECT_EQ(attached_.mounts(1).destination(), "/mnt/point");
  EXPECT_TRUE(attached_.mounts(1).is_directory());
  EXPECT_EQ(attached_.mounts(2).destination(), "/mnt/point/inner/deep");

  Channel third = gofer_->TakeChannel(3);
  fs::FsRequest request;
  request.mutable_attach();
  auto reply = Call(third, request);
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(reply->message.attach().read_only());
  uint64_t handle = reply->message.attach().root().handle();
  request.mutable_open()->set_handle(handle);
  request.mutable_open()->set_access(fs::ACCESS_WRITE);
  EXPECT_EQ(Call(third, request).code(), EROFS);
  request.mutable_open()->set_access(fs::ACCESS_READ);
  EXPECT_TRUE(Call(third, request).ok());
}

TEST_F(GoferTest, LinksInTheRootCannotLeadAMountOut) {
  stdfs::create_symlink(base_ + "/outside", root_ + "/absolute");
  stdfs::create_symlink("../../../../../../outside2", root_ + "/relative");
  stdfs::create_directories(base_ + "/source");
  AddMount(base_ + "/source", "/absolute/x");
  AddMount(base_ + "/source", "/relative");
  Start();
  EXPECT_FALSE(stdfs::exists(base_ + "/outside"));
  EXPECT_FALSE(stdfs::exists("/outside2"));
  EXPECT_EQ(attached_.mounts(0).destination(), base_ + "/outside/x");
  EXPECT_EQ(attached_.mounts(1).destination(), "/outside2");
  EXPECT_TRUE(stdfs::is_directory(root_ + "/outside2"));
}

TEST_F(GoferTest, LoopOfLinksInADestinationIsReported) {
  stdfs::create_symlink("b", root_ + "/a");
  stdfs::create_symlink("a", root_ + "/b");
  AddMount(base_ + "/secret", "/a/x");
  std::string error = StartError();
  EXPECT_NE(error.find("/a/x"), std::string::npos) << error;
  EXPECT_NE(error.find("Too many levels"), std::string::npos) << error;
}

TEST_F(GoferTest, MissingSourceIsNamed) {
  AddMount(base_ + "/nothing", "/data");
  std::string error = StartError();
  EXPECT_NE(error.find(base_ + "/nothing"), std::string::npos) << error;
  EXPECT_NE(error.find("No such file"), std::string::npos) << error;
}

TEST_F(GoferTest, MissingRootIsNamed) {
  request_.set_root(base_ + "/noroot");
  EXPECT_NE(StartError().find(base_ + "/noroot"), std::string::npos);
}

TEST_F(GoferTest, RootThatIsAFileIsRefused) {
  request_.set_root(base_ + "/secret");
  EXPECT_NE(StartError().find("Not a directory"), std::string::npos);
}

TEST_F(GoferTest, DirectoryOverFileIsRefused) {
  AddMount(base_, "/dir/file");
  EXPECT_NE(StartError().find("/dir/file"), std::string::npos);
}

TEST_F(GoferTest, MountsDoNotReachTheHost) {
  std::string before = ReadAll("/proc/self/mountinfo");
  AddMount(base_ + "/secret", "/s");
  request_.set_root_propagation(PROPAGATION_SHARED);
  Start();
  EXPECT_EQ(ReadAll("/proc/self/mountinfo"), before);
}

TEST_F(GoferTest, EndsWhenTheLastConnectionEnds) {
  AddMount(base_ + "/secret", "/s");
  Start();
  Channel second = gofer_->TakeChannel(1);
  channel_.Release();
  fs::FsRequest attach;
  attach.mutable_attach();
  EXPECT_TRUE(Call(second, attach).ok());
  second.Release();
  int status = gofer_->Wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(GoferTest, RunsWithTheDocumentedPrivileges) {
  Start();
  std::string proc = "/proc/" + std::to_string(gofer_->pid());
  std::map<std::string, std::string> status;
  std::ifstream file(proc + "/status");
  for (std::string line; std::getline(file, line);) {
    size_t colon = line.find(":\t");
    if (colon != std::string::npos) status[line.substr(0, colon)] = line.substr(colon + 2);
  }
  EXPECT_EQ(status["CapPrm"], "000000000000001f");
  EXPECT_EQ(status["CapEff"], "000000000000001f");
  EXPECT_EQ(status["CapBnd"], "000000000000001f");
  EXPECT_EQ(status["CapInh"], "0000000000000000");
  EXPECT_EQ(status["CapAmb"], "0000000000000000");
  EXPECT_EQ(status["NoNewPrivs"], "1");
  EXPECT_EQ(status["Seccomp"], "2");
  EXPECT_EQ(status["Umask"], "0000");
  for (const char* name : {"mnt", "pid", "net", "ipc", "uts"}) {
    EXPECT_NE(stdfs::read_symlink(proc + "/ns/" + name),
              stdfs::read_symlink(std::string("/proc/self/ns/") + name))
        << name;
  }
  struct stat theirs, ours;
  ASSERT_EQ(stat((proc + "/root/.").c_str(), &theirs), 0);
  ASSERT_EQ(stat(root_.c_str(), &ours), 0);
  EXPECT_EQ(theirs.st_ino, ours.st_ino);
  // Only what lies in the container's tree is mounted.
  for (std::ifstream mounts(proc + "/mountinfo"); mounts;) {
    std::string line;
    if (!std::getline(mounts, line)) break;
    EXPECT_EQ(line.find("/proc"), std::string::npos) << line;
  }
}

TEST_F(GoferTest, HoldsNoDescriptorsButItsOwn) {
  Start();
  std::string proc = "/proc/" + std::to_string(gofer_->pid()) + "/fd";
  int count = 0;
  for (const auto& entry : stdfs::directory_iterator(proc)) {
    int number = std::stoi(entry.path().filename());
    if (number <= 2) continue;
    ++count;
    std::string target = stdfs::read_symlink(entry.path());
    bool expected =
        target == "/" || target.rfind("socket:", 0) == 0 || target.find("/fd") != std::string::npos;
    EXPECT_TRUE(expected) << number << " is " << target;
  }
  // The connection, the descriptors' directory, the tree's root, its handle.
  EXPECT_EQ(count, 4);
}

}  // namespace
}  // namespace runsc::gofer
