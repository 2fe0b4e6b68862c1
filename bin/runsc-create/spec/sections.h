// The parts of config.json, each converted in a file of its own name.
#ifndef RUNSC_CREATE_SPEC_SECTIONS_H_
#define RUNSC_CREATE_SPEC_SECTIONS_H_

#include <string>
#include <string_view>

#include "bin/runsc-create/spec/node.h"
#include "common/result.h"
#include "google/protobuf/repeated_field.h"
#include "ipc/oci.pb.h"

namespace runsc::spec {

Status ParseProcess(const Node& node, oci::Process& out);
Status ParseMounts(const Node& config, const std::string& bundle, oci::Spec& out);
Status ParseHooks(const Node& node, oci::Hooks& out);
// After the namespaces.
Status ParseSysctls(const Node& node, oci::Linux& out);
Status ParseLinux(const Node& node, oci::Linux& out);
Status ParseResources(const Node& node, oci::Resources& out);
Status ParseSeccomp(const Node& node, oci::Seccomp& out);

// `path` itself when absolute, else below `base`.
std::string Absolute(const std::string& base, const std::string& path);

// Copies the strings of array `name`; each must not be empty.
Status CopyStrings(const Node& node, std::string_view name,
                   google::protobuf::RepeatedPtrField<std::string>& out);
// The same; each must also be an absolute path.
Status CopyAbsolutePaths(const Node& node, std::string_view name,
                         google::protobuf::RepeatedPtrField<std::string>& out);

}  // namespace runsc::spec

#endif  // RUNSC_CREATE_SPEC_SECTIONS_H_
