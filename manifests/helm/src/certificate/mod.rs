//! Private keys and certificates, as Sprig makes them.
//!
//! Randomness comes from the caller. RSA is computed by the `rsa` crate and the curve by `p256`; the few structures
//! around them are written by [`der`], which is less than a library for certificates would bring along.

mod der;
mod key;
mod pem;
mod x509;

pub(crate) use key::{PrivateKey, generate};
pub(crate) use x509::{Issuer, Request, check_certificate, issue};

use std::convert::Infallible;

use rsa::rand_core::{TryCryptoRng, TryRng};

use crate::template::World;

/// The generator of a world, as the cryptography crates want one.
pub(crate) struct WorldRng<'w>(pub(crate) &'w dyn World);

impl TryRng for WorldRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill_random(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill_random(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_random(bytes);
        Ok(())
    }
}

impl TryCryptoRng for WorldRng<'_> {}
