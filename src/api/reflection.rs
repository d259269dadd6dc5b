//! gRPC reflection: tells `grpcurl` and its like what is served here, in both versions of the protocol.

use tonic::service::RoutesBuilder;
use tonic_reflection::server::{Builder, Error};

use crate::proto::FILE_DESCRIPTOR_SET;

/// Adds both services. Fails only when the descriptors built in are broken.
pub(super) fn add(routes: &mut RoutesBuilder) -> Result<(), Error> {
    let described = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    routes.add_service(described().build_v1()?);
    routes.add_service(described().build_v1alpha()?);
    Ok(())
}
