//! `notification.toolkit.fluxcd.io`: webhooks that wake objects.
//!
//! # Follows Flux
//! Names, defaults and validation are those of notification-controller 1.9.

mod receiver;

pub use receiver::{
    OidcProvider, OidcValidation, OidcVariable, Receiver, ReceiverResource, ReceiverSpec, ReceiverStatus, ReceiverType,
    ResourceKind,
};
