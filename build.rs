//! Compiles our own messages with protox, so that no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "proto/spangraph/v1/slice.proto",
        "proto/spangraph/v1/topology.proto",
    ];
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(files, ["proto"])?;
    tonic_prost_build::configure()
        .bytes(".spangraph.v1.GetTopologyResponse.body")
        .compile_fds(descriptors)?;
    Ok(())
}
