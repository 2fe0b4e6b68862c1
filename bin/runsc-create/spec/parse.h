// config.json of an OCI bundle to oci.Spec, checked field by field.
#ifndef RUNSC_CREATE_SPEC_PARSE_H_
#define RUNSC_CREATE_SPEC_PARSE_H_

#include <string>
#include <string_view>

#include "common/result.h"
#include "ipc/oci.pb.h"

namespace runsc::spec {

// Converts the text of a config.json. Relative paths (root, sources of bind
// mounts) become absolute below `bundle`, an absolute path. Nothing on disk is
// looked at. EINVAL with a message that names the first wrong field.
Result<oci::Spec> ParseSpec(std::string_view text, const std::string& bundle);

// Reads and converts `bundle`/config.json; `bundle` is absolute. Also checks
// that the root is a directory and that the sources of bind mounts exist.
Result<oci::Spec> LoadSpec(const std::string& bundle);

// Reads and converts a process file of `exec`. Capabilities are absent in the
// result when they are absent in the file. EINVAL, naming the field.
Result<oci::Process> LoadProcess(const std::string& path);

// The default config.json, as `spec` writes it.
std::string DefaultConfig();

}  // namespace runsc::spec

#endif  // RUNSC_CREATE_SPEC_PARSE_H_
