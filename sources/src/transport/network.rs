//! Ranges of addresses.

use std::{fmt, net::IpAddr, str::FromStr};

/// A range of addresses, written as `10.0.0.0/8`, or as one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address nor a network such as `10.0.0.0/8`")]
pub struct NetworkError(String);

impl Network {
    /// The addresses that begin with the first `bits` bits of `address`.
    pub(super) const fn new(address: IpAddr, bits: u32) -> Self {
        Self { address, bits }
    }

    /// Whether `address` is one of them.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let differing = aligned(address) ^ aligned(self.address);
        width(address) == width(self.address) && differing.leading_zeros() >= self.bits
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(written: &str) -> Result<Self, NetworkError> {
        let refused = || NetworkError(written.to_owned());
        let (address, bits) = written.split_once('/').map_or((written, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let Some(bits) = bits else { return Ok(Self { address, bits: width(address) }) };
        let bits = bits.parse().ok().filter(|bits| *bits <= width(address)).ok_or_else(refused)?;
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// How many bits an address of that family has.
fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address, with its first bit first.
fn aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_a_range_or_as_one_address() {
        let rows = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "192.0.2.2", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fd12::1", true),
            ("::1/128", "::2", false),
        ];
        for (written, address, expected) in rows {
            let network: Network = written.parse().expect("a network");
            assert_eq!(network.contains(address.parse().expect("an address")), expected, "{written} {address}");
        }
        for written in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "localhost", "::/129", "10.0.0.0/-1"] {
            assert!(written.parse::<Network>().is_err(), "{written}");
        }
    }
}
