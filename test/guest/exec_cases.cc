// execve and execveat: arguments, scripts, errors, what survives.
#include <sys/resource.h>

#include <vector>

#include "test/guest/cases.h"

using namespace guest;

extern char** environ;

namespace {
// What `path` prints when executed with these arguments.
std::string RunOutput(const char* path, std::vector<const char*> arguments,
                      std::vector<const char*> environment = {"PATH=/bin"}) {
  int p[2];
  MUST(pipe(p));
  arguments.push_back(nullptr);
  environment.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(p[1], 1);
    close(p[0]);
    close(p[1]);
    execve(path, const_cast<char**>(arguments.data()), const_cast<char**>(environment.data()));
    dprintf(1, "%s", strerrorname_np(errno));
    _exit(99);
  }
  close(p[1]);
  std::string out = Drain(p[0]);
  close(p[0]);
  int status;
  MUST(waitpid(child, &status, 0));
  return out + ";" + StatusText(status);
}
void MakeScript(const char* path, std::string_view text) {
  Make(path, text, 0755);
  MUST(chmod(path, 0755));
}
int TryExec(const char* path) {
  char* const arguments[] = {const_cast<char*>("x"), nullptr};
  execve(path, arguments, environ);
  return errno;
}
}  // namespace

CASE(exec_arguments_and_environment) {
  Record("out", RunOutput("/bin/sh", {"sh", "-c", "echo $0 $1 \"$2\" $FOO", "zero", "one", "t w o"},
                          {"FOO=bar"}));
}
CASE(exec_empty_argument_and_environment) {
  Record("out", RunOutput("/bin/sh", {"sh", "-c", "echo $#:\"$1\":", "x", ""}, {}));
}
CASE(exec_errors) {
  MUST(mkdir("d", 0755));
  Make("plain", "#!/bin/sh\n", 0644);
  Make("junk", "not a program", 0755);
  Make("empty", "", 0755);
  MUST(symlink("loop", "loop"));
  Record("missing", strerrorname_np(TryExec("missing")));
  Record("directory", strerrorname_np(TryExec("d")));
  Record("no_x_bit", strerrorname_np(TryExec("plain")));
  Record("junk", strerrorname_np(TryExec("junk")));
  Record("empty", strerrorname_np(TryExec("empty")));
  Record("loop", strerrorname_np(TryExec("loop")));
  Record("through_file", strerrorname_np(TryExec("plain/x")));
  Record("empty_path", strerrorname_np(TryExec("")));
  Record("name", strerrorname_np(TryExec(std::string(300, 'x').c_str())));
}
CASE(exec_broken_elf) {
  Make("short",
       "\x7f"
       "ELF",
       0755);
  std::string header = Content("/bin/busybox").substr(0, 64);
  Make("header", header, 0755);
  header[4] = 1;
  Make("class", header, 0755);
  Record("short", InChild([] { return TryExec("short"); }));
  Record("class", InChild([] { return TryExec("class"); }));
}
CASE(exec_script) {
  MakeScript("s", "#!/bin/sh\necho script $0 $1\n");
  Record("out", RunOutput("./s", {"ignored", "arg"}));
}
CASE(exec_script_with_argument) {
  MakeScript("s", "#!/bin/echo one two \nrest\n");
  Record("out", RunOutput("./s", {"s", "three"}));
}
CASE(exec_script_with_spaces) {
  MakeScript("s", "#!   /bin/echo   -  x\n");
  Record("out", RunOutput("./s", {"s", "y"}));
}
CASE(exec_script_without_newline) {
  MakeScript("s", "#!/bin/echo");
  Record("out", RunOutput("./s", {"s"}));
}
CASE(exec_script_that_ends_before_the_name) {
  const std::string_view texts[] = {"#!",          "#!\n", "#! ", "#! \t\n", {"#!\0", 3},
                                    {"#!\0\n", 4}, "#!x",  "#!.", "#! .\n"};
  for (const std::string_view text : texts) {
    MakeScript("s", text);
    Record("exec", strerrorname_np(TryExec("./s")));
  }
}
CASE(exec_script_with_blanks_at_its_end) {
  for (const char* text : {"#!/bin/echo a ", "#!/bin/echo ", "#!/bin/echo", "#!/bin/echo a \n",
                           "#!/bin/echo \n", "#! /bin/echo\ta  b\t\n"}) {
    MakeScript("s", text);
    Record("out", RunOutput("./s", {"s", "x"}));
  }
}
CASE(exec_script_missing_interpreter) {
  MakeScript("s", "#!/no/such/interpreter\n");
  Record("error", strerrorname_np(TryExec("./s")));
  MakeScript("t", "#!\n");
  Record("empty", strerrorname_np(TryExec("./t")));
  MakeScript("u", "#!/bin\n");
  Record("directory", strerrorname_np(TryExec("./u")));
}
CASE(exec_script_of_script) {
  MakeScript("inner", "#!/bin/echo inner\n");
  const std::string path = std::string(getcwd(nullptr, 0)) + "/inner";
  MakeScript("outer", "#!" + path + " outer\n");
  const std::string out = RunOutput("./outer", {"x", "last"});
  Record("starts", out.substr(0, 6));
  Record("ends", out.substr(out.size() - 12));
}
CASE(exec_script_nesting_limit) {
  MakeScript("s0", "#!/bin/echo\n");
  const std::string here = getcwd(nullptr, 0);
  for (int i = 1; i < 8; i++) {
    MakeScript(("s" + std::to_string(i)).c_str(),
               "#!" + here + "/s" + std::to_string(i - 1) + "\n");
  }
  for (int i = 3; i < 8; i++) {
    const std::string out = RunOutput(("./s" + std::to_string(i)).c_str(), {"x"});
    Record(std::to_string(i), out.find("ELOOP") != std::string::npos ? "ELOOP" : "runs");
  }
}
CASE(exec_argument_too_long) {
  const std::string fits(100 << 10, 'a');
  const std::string large(200 << 10, 'a');
  Record("fits", RunOutput("/bin/sh", {"sh", "-c", "exit 3", fits.c_str()}));
  Record("large", RunOutput("/bin/sh", {"sh", "-c", "exit 3", large.c_str()}));
}
CASE(exec_many_arguments) {
  std::vector<const char*> arguments = {"sh", "-c", "echo $#", "x"};
  for (int i = 0; i < 20000; i++) arguments.push_back("y");
  Record("out", RunOutput("/bin/sh", arguments));
}
CASE(exec_no_arguments) {
  char* none[] = {nullptr};
  Record("out", InChild([&] {
           execve("/bin/true", none, none);
           return errno;
         }));
}
CASE(exec_keeps_pid_and_parent) {
  Record("same",
         RunOutput("/bin/sh", {"sh", "-c", "[ $$ = $(exec sh -c 'echo $PPID') ]; echo $?"}));
}
CASE(exec_closes_cloexec_descriptors) {
  Make("f");
  MUST(open("f", O_RDONLY | O_CLOEXEC));
  MUST(open("f", O_RDONLY));
  Record("out", RunOutput("/bin/sh",
                          {"sh", "-c",
                           "ls /proc/self/fd | wc -l; exec ls -l /proc/self/fd/4 | grep -c f$"}));
}
CASE(exec_keeps_directory_and_umask) {
  MUST(mkdir("d", 0755));
  MUST(chdir("d"));
  umask(0077);
  Record("out", RunOutput("/bin/sh", {"sh", "-c", "basename $(pwd); umask"}));
}
CASE(exec_as_other_user_needs_permission) {
  MakeScript("s", "#!/bin/sh\nexit 3\n");
  MUST(chmod("s", 0700));
  Record("child", InChild([] {
           BecomeUser(1000, 1000);
           return TryExec("./s");
         }));
  MUST(chmod("s", 0711));
  Record("unreadable_script", InChild([] {
           BecomeUser(1000, 1000);
           return TryExec("./s");
         }));
}
CASE(exec_setuid_changes_effective_id) {
  MUST(system("cp /bin/busybox id") == 0 ? 0 : -1);
  MUST(chown("id", 1234, 1235));
  MUST(chmod("id", 06755));
  Record("child", InChild([] {
           BecomeUser(1000, 1000);
           execl("./id", "id", "-u", nullptr);
           return 99;
         }));
  int p[2];
  MUST(pipe(p));
  if (fork() == 0) {
    BecomeUser(1000, 1000);
    dup2(p[1], 1);
    execl("./id", "cat", "/proc/self/status", nullptr);
    _exit(9);
  }
  close(p[1]);
  const std::string text = Drain(p[0]);
  const size_t at = text.find("Uid:");
  Record("uids", at == std::string::npos ? "none" : text.substr(at, text.find("Groups") - at));
}
CASE(exec_text_busy) {
  MUST(system("cp /bin/busybox prog") == 0 ? 0 : -1);
  const int fd = open("prog", O_RDWR);
  Record("child", InChild([] { return TryExec("./prog"); }));
  close(fd);
}
CASE(execveat_forms) {
  const int fd = open("/bin/busybox", O_RDONLY);
  Record("empty_path", InChild([fd] {
           char* const arguments[] = {const_cast<char*>("false"), nullptr};
           syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
           return errno;
         }));
  const int directory = open("/bin", O_RDONLY);
  Record("relative", InChild([directory] {
           char* const arguments[] = {const_cast<char*>("true"), nullptr};
           syscall(SYS_execveat, directory, "busybox", arguments, environ, 0);
           return errno;
         }));
  Record("bad_flags", InChild([fd] {
           char* const arguments[] = {const_cast<char*>("true"), nullptr};
           syscall(SYS_execveat, fd, "", arguments, environ, 0x40);
           return errno;
         }));
  Record("nofollow", InChild([] {
           char* const arguments[] = {const_cast<char*>("true"), nullptr};
           syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, environ, AT_SYMLINK_NOFOLLOW);
           return errno;
         }));
}
CASE(exec_from_memfd) {
  const int fd = memfd_create("program", 0);
  const std::string image = [] {
    std::string all;
    const int in = open("/bin/busybox", O_RDONLY);
    char buffer[65536];
    for (ssize_t count; (count = read(in, buffer, sizeof buffer)) > 0;) all.append(buffer, count);
    return all;
  }();
  MUST(write(fd, image.data(), image.size()));
  Record("child", InChild([fd] {
           char* const arguments[] = {const_cast<char*>("false"), nullptr};
           fexecve(fd, arguments, environ);
           return errno;
         }));
}
CASE(exec_command_line_in_proc) {
  Record("out", RunOutput("/bin/sh", {"sh", "-c", "tr '\\0' ' ' < /proc/self/cmdline", "b", "c"}));
}
CASE(exec_in_loop) {
  int good = 0;
  for (int i = 0; i < 30; i++)
    good += InChild([] {
              execl("/bin/true", "true", nullptr);
              return 9;
            }) == "exit 0";
  Record("good", good);
}
