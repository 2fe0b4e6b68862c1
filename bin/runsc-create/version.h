// The suite's version, as --version prints it.
#ifndef RUNSC_CREATE_VERSION_H_
#define RUNSC_CREATE_VERSION_H_

namespace runsc::create {

inline constexpr char kVersion[] = "0.1.0";
inline constexpr char kOciVersion[] = "1.0.2";

}  // namespace runsc::create

#endif  // RUNSC_CREATE_VERSION_H_
