#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/json/writer.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {
namespace {

struct Row {
  std::string id, status, bundle, created, owner, rootfs;
  int pid = 0;
};

Row MakeRow(const state::Container& container) {
  Row row;
  row.id = container.id();
  row.status = std::string(StatusOf(container));
  row.pid = row.status == "stopped" ? 0 : container.boot().pid();
  row.bundle = container.bundle();
  row.created = CreationTime(container);
  row.owner = OwnerName(container);
  row.rootfs = container.spec().root().path();
  return row;
}

Result<std::vector<Row>> Rows(const GlobalOptions& options) {
  std::vector<Row> rows;
  TRY_ASSIGN(std::vector<std::string> ids, ContainerStore::List(options.root));
  for (const std::string& id : ids) {
    Result<ContainerStore> store = ContainerStore::Open(options.root, id);
    if (!store.ok()) continue;  // deleted meanwhile
    Result<state::Container> container = store->Load();
    if (container.ok()) rows.push_back(MakeRow(*container));
  }
  return rows;
}

void PrintJson(const std::vector<Row>& rows) {
  json::Writer out(/*indented=*/false);
  out.BeginArray();
  for (const Row& row : rows) {
    out.BeginObject();
    out.Name("ociVersion").String("1.0.2");
    out.Name("id").String(row.id);
    out.Name("pid").Number(row.pid);
    out.Name("status").String(row.status);
    out.Name("bundle").String(row.bundle);
    out.Name("rootfs").String(row.rootfs);
    out.Name("created").String(row.created);
    out.Name("owner").String(row.owner);
    out.EndObject();
  }
  out.EndArray();
  puts(out.text().c_str());
}

void PrintTable(const std::vector<Row>& rows) {
  size_t id_width = 12, bundle_width = 12;
  for (const Row& row : rows) {
    id_width = std::max(id_width, row.id.size() + 2);
    bundle_width = std::max(bundle_width, row.bundle.size() + 2);
  }
  auto print = [&](const std::string& id, const std::string& pid, const std::string& status,
                   const std::string& bundle, const std::string& created,
                   const std::string& owner) {
    printf("%-*s%-12s%-12s%-*s%-32s%s\n", static_cast<int>(id_width), id.c_str(), pid.c_str(),
           status.c_str(), static_cast<int>(bundle_width), bundle.c_str(), created.c_str(),
           owner.c_str());
  };
  print("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
  for (const Row& row : rows) {
    print(row.id, absl::StrCat(row.pid), row.status, row.bundle, row.created, row.owner);
  }
}

}  // namespace

Result<int> List(const GlobalOptions& options, const ListOptions& list) {
  if (list.format != "table" && list.format != "json") {
    return Error(EINVAL, absl::StrCat("unknown format \"", list.format, "\""));
  }
  TRY_ASSIGN(std::vector<Row> rows, Rows(options));
  if (list.quiet) {
    for (const Row& row : rows) puts(row.id.c_str());
  } else if (list.format == "json") {
    PrintJson(rows);
  } else {
    PrintTable(rows);
  }
  return 0;
}

}  // namespace runsc::create
