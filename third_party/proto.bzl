"""cc_proto: C++ from .proto files with Debian's protoc and libprotobuf."""

def cc_proto(name, srcs, deps = [], visibility = None):
    """A cc_library of the generated C++ for `srcs`.

    Bazel's own proto rules build protoc from source, which is not available
    here; Debian's protoc does the same job.
    """
    outs = []
    for src in srcs:
        base = src[:-len(".proto")]
        outs += [base + ".pb.h", base + ".pb.cc"]
    native.genrule(
        name = name + "_protoc",
        srcs = srcs + [d + "_srcs" for d in deps],
        outs = outs,
        cmd = "protoc --proto_path=. --cpp_out=$(GENDIR) " +
              " ".join(["$(location %s)" % s for s in srcs]),
    )
    native.filegroup(
        name = name + "_srcs",
        srcs = srcs + [d + "_srcs" for d in deps],
        visibility = visibility,
    )
    native.cc_library(
        name = name,
        srcs = [o for o in outs if o.endswith(".cc")],
        hdrs = [o for o in outs if o.endswith(".h")],
        copts = ["-w"],  # generated: not ours to correct
        visibility = visibility,
        deps = deps + ["@system//:protobuf"],
    )
