//! Which addresses the requests of sources may reach.
//!
//! Whoever may write a source chooses where this process sends requests, and it stands where its author may not: beside
//! the services of its own machine, and where a cloud hands out the machine's credentials. So these are out of reach,
//! unless the operator allows them.
//!
//! # What is checked
//! Addresses, and never names: after each lookup, of whatever spelling, and so after each redirect. Only what was checked
//! is connected to, so that a name gains nothing by changing its address between the two. An address that stands for
//! an IPv4 address (`::ffff:127.0.0.1`, NAT64, 6to4) is held to the rules of both.
//!
//! Where a proxy is between, its address is checked, unless the environment names it: that one is the operator's. What a
//! proxy reaches is the proxy's to decide.
//!
//! # Why it is the process's
//! It is the operator's rule for all namespaces, like the proxies of the environment. No source can leave it out, and no
//! code can forget to hand it on; answers that several tenants share were reached under one rule.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
};

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::{Network, proxy::is_of_environment};

/// Which addresses requests may reach. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Egress(Option<Arc<Exceptions>>);

/// What the operator decides beside the rule.
#[derive(Debug)]
struct Exceptions {
    allowed: Vec<Network>,
    denied: Vec<Network>,
}

/// An address that requests may not reach.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} is at {address}, and sources may not reach {why} unless the controller runs with --allow-egress={address}"
)]
pub struct EgressError {
    /// The host as the URL names it.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
    /// Why it is out of reach.
    pub why: OutOfReach,
}

/// Why an address is out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfReach {
    /// It is this machine.
    Loopback,
    /// It is no address of anyone, which systems take for this machine.
    Unspecified,
    /// A cloud tells its machines their credentials there.
    Metadata,
    /// It is on the same wire.
    LinkLocal,
    /// It is many machines.
    Multicast,
    /// It is nobody's.
    Reserved,
    /// The operator says so.
    Denied,
}

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback addresses",
            Self::Unspecified => "unspecified addresses",
            Self::Metadata => "addresses of cloud metadata services",
            Self::LinkLocal => "link-local addresses",
            Self::Multicast => "multicast addresses",
            Self::Reserved => "reserved addresses",
            Self::Denied => "addresses that --deny-egress names",
        })
    }
}

/// The rule of this process, once it has one.
static OF_PROCESS: OnceLock<Egress> = OnceLock::new();

impl Egress {
    /// Any address: what a person's own machine may reach.
    pub fn anywhere() -> Self {
        Self(None)
    }

    /// Whatever is neither this machine, on its wire, a metadata service nor `denied`; and what is `allowed` in any case.
    pub fn guarded(allowed: Vec<Network>, denied: Vec<Network>) -> Self {
        Self(Some(Arc::new(Exceptions { allowed, denied })))
    }

    /// Makes this the rule for all requests of this process. The first call counts.
    pub fn hold(self) {
        OF_PROCESS.get_or_init(|| self);
    }

    /// The rule of this process; without one, any address.
    pub(crate) fn of_process() -> Self {
        OF_PROCESS.get().cloned().unwrap_or_default()
    }

    /// Those of the addresses of `host` that may be reached.
    ///
    /// # Errors
    /// If there are none.
    pub(crate) fn permitted(
        &self,
        host: &str,
        found: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, EgressError> {
        let (mut permitted, mut refused) = (Vec::new(), None);
        for socket in found {
            let address = socket.ip();
            match self.out_of_reach(address) {
                None => permitted.push(socket),
                Some(why) => refused = refused.or(Some(EgressError { host: host.to_owned(), address, why })),
            }
        }
        match refused {
            Some(refused) if permitted.is_empty() => Err(refused),
            _ => Ok(permitted),
        }
    }

    fn out_of_reach(&self, address: IpAddr) -> Option<OutOfReach> {
        let exceptions = self.0.as_deref()?;
        let is_in = |networks: &[Network], address| networks.iter().any(|network| network.contains(address));
        if is_in(&exceptions.allowed, address) {
            return None;
        }
        let meant = meanings(address).into_iter().filter(|meaning| !is_in(&exceptions.allowed, *meaning));
        meant.into_iter().find_map(|meaning| {
            let denied = is_in(&exceptions.denied, meaning).then_some(OutOfReach::Denied);
            reserved(meaning).or(denied)
        })
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u32) -> Network {
    Network::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits)
}

const fn v6(first: [u16; 2], last: u16, bits: u32) -> Network {
    Network::new(IpAddr::V6(Ipv6Addr::new(first[0], first[1], 0, 0, 0, 0, 0, last)), bits)
}

/// What is out of reach, the more specific first.
const RESERVED: [(Network, OutOfReach); 16] = [
    // Amazon, Google, Azure and most others; then Azure's agent, Alibaba and Oracle.
    (v4(169, 254, 169, 254, 32), OutOfReach::Metadata),
    (v4(168, 63, 129, 16, 32), OutOfReach::Metadata),
    (v4(100, 100, 100, 200, 32), OutOfReach::Metadata),
    (v4(192, 0, 0, 192, 32), OutOfReach::Metadata),
    // Amazon and Google.
    (v6([0xfd00, 0xec2], 0, 32), OutOfReach::Metadata),
    (v6([0xfd20, 0xce], 0x254, 128), OutOfReach::Metadata),
    (v4(0, 0, 0, 0, 8), OutOfReach::Unspecified),
    (v4(127, 0, 0, 0, 8), OutOfReach::Loopback),
    (v4(169, 254, 0, 0, 16), OutOfReach::LinkLocal),
    (v4(224, 0, 0, 0, 4), OutOfReach::Multicast),
    (v4(240, 0, 0, 0, 4), OutOfReach::Reserved),
    (v6([0, 0], 0, 128), OutOfReach::Unspecified),
    (v6([0, 0], 1, 128), OutOfReach::Loopback),
    (v6([0xfe80, 0], 0, 10), OutOfReach::LinkLocal),
    (v6([0xff00, 0], 0, 8), OutOfReach::Multicast),
    // Discarded wherever it arrives.
    (v6([0x100, 0], 0, 64), OutOfReach::Reserved),
];

fn reserved(address: IpAddr) -> Option<OutOfReach> {
    RESERVED.iter().find(|(network, _)| network.contains(address)).map(|(_, why)| *why)
}

/// What a packet to `address` may reach: `address`, and the IPv4 address in it.
fn meanings(address: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(v6) = address else { return vec![address] };
    let parts = v6.segments();
    let at = |index: usize| {
        let (high, low) = (u32::from(parts[index]), u32::from(parts[index + 1]));
        IpAddr::V4(Ipv4Addr::from_bits(high << 16 | low))
    };
    match parts {
        // One and the same to the system.
        [0, 0, 0, 0, 0, 0xffff, ..] => vec![at(6)],
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => vec![address],
        // IPv4-compatible, translated, and NAT64 with the well-known prefix and with a local one.
        [0, 0, 0, 0, 0 | 0xffff, 0, ..] | [0x64, 0xff9b, 0 | 1, ..] => vec![address, at(6)],
        // 6to4.
        [0x2002, ..] => vec![address, at(1)],
        _ => vec![address],
    }
}

/// Looks names up, and keeps to the rule.
#[derive(Debug)]
pub(super) struct CheckedResolver<R = DefaultResolver> {
    egress: Egress,
    lookup: R,
}

impl CheckedResolver {
    pub(super) fn new(egress: Egress) -> Self {
        Self { egress, lookup: DefaultResolver::default() }
    }
}

impl<R: Resolver> Resolver for CheckedResolver<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.lookup.resolve(uri, config, timeout)?;
        if config.proxy().is_some_and(|hop| hop.uri() == uri && is_of_environment(hop)) {
            return Ok(found);
        }
        let permitted = self.egress.permitted(uri.host().unwrap_or_default(), found.iter().copied());
        let mut kept = self.empty();
        permitted.map_err(|refused| ureq::Error::Other(Box::new(refused)))?.into_iter().for_each(|one| kept.push(one));
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, ToSocketAddrs},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use ureq::{Agent, unversioned::transport::DefaultConnector};

    use super::*;

    fn networks(written: &[&str]) -> Vec<Network> {
        written.iter().map(|network| network.parse().expect("a network")).collect()
    }

    fn guarded(allowed: &[&str], denied: &[&str]) -> Egress {
        Egress::guarded(networks(allowed), networks(denied))
    }

    fn verdict(egress: &Egress, address: &str) -> String {
        let why = egress.out_of_reach(address.parse().expect("an address"));
        why.map_or_else(|| "permitted".to_owned(), |why| why.to_string())
    }

    #[test]
    fn cve_2026_44936_fleet_and_cve_2026_32828_kargo_internal_addresses_are_out_of_reach() {
        let rows = [
            ("192.0.2.1", "permitted"),
            ("2001:db8::1", "permitted"),
            // Servers in the cluster and beside it are in these.
            ("10.96.0.10", "permitted"),
            ("172.16.0.1", "permitted"),
            ("192.168.1.1", "permitted"),
            ("100.64.0.1", "permitted"),
            ("fd12:3456::1", "permitted"),
            ("127.0.0.1", "loopback addresses"),
            ("127.8.8.8", "loopback addresses"),
            ("::1", "loopback addresses"),
            ("0.0.0.0", "unspecified addresses"),
            ("0.0.0.1", "unspecified addresses"),
            ("::", "unspecified addresses"),
            ("169.254.169.254", "addresses of cloud metadata services"),
            ("169.254.170.23", "link-local addresses"),
            ("168.63.129.16", "addresses of cloud metadata services"),
            ("100.100.100.200", "addresses of cloud metadata services"),
            ("192.0.0.192", "addresses of cloud metadata services"),
            ("fd00:ec2::254", "addresses of cloud metadata services"),
            ("fd00:ec2::23", "addresses of cloud metadata services"),
            ("fd20:ce::254", "addresses of cloud metadata services"),
            ("fe80::1", "link-local addresses"),
            ("febf::1", "link-local addresses"),
            ("224.0.0.1", "multicast addresses"),
            ("ff02::1", "multicast addresses"),
            ("255.255.255.255", "reserved addresses"),
            ("100::1", "reserved addresses"),
        ];
        let egress = guarded(&[], &[]);
        for (address, expected) in rows {
            assert_eq!(verdict(&egress, address), expected, "{address}");
            assert_eq!(verdict(&Egress::anywhere(), address), "permitted", "{address}");
        }
    }

    #[test]
    fn an_ipv4_address_in_an_ipv6_address_is_held_to_its_own_rules() {
        let rows = [
            ("::ffff:127.0.0.1", "loopback addresses"),
            ("::ffff:10.0.0.1", "permitted"),
            ("::127.0.0.1", "loopback addresses"),
            ("::ffff:0:169.254.169.254", "addresses of cloud metadata services"),
            ("64:ff9b::169.254.169.254", "addresses of cloud metadata services"),
            ("64:ff9b::192.0.2.1", "permitted"),
            ("64:ff9b:1::127.0.0.1", "loopback addresses"),
            ("2002:7f00:1::1", "loopback addresses"),
            ("2002:c000:201::1", "permitted"),
        ];
        let egress = guarded(&[], &[]);
        for (address, expected) in rows {
            assert_eq!(verdict(&egress, address), expected, "{address}");
        }
        let allowed = guarded(&["127.0.0.0/8"], &["192.0.2.0/24"]);
        assert_eq!(verdict(&allowed, "::ffff:127.0.0.1"), "permitted");
        assert_eq!(verdict(&allowed, "::ffff:192.0.2.1"), "addresses that --deny-egress names");
    }

    #[test]
    fn what_is_allowed_is_reached_and_what_is_denied_is_not() {
        let egress = guarded(&["127.0.0.1", "10.1.0.0/16"], &["10.0.0.0/8"]);
        let rows = [
            ("127.0.0.1", "permitted"),
            ("127.0.0.2", "loopback addresses"),
            ("10.1.2.3", "permitted"),
            ("10.2.2.3", "addresses that --deny-egress names"),
        ];
        for (address, expected) in rows {
            assert_eq!(verdict(&egress, address), expected, "{address}");
        }
    }

    #[test]
    fn a_host_is_checked_by_what_its_spelling_stands_for() {
        for host in ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "::1"] {
            let found = (host, 80).to_socket_addrs().expect("this machine");
            let refused = guarded(&[], &[]).permitted(host, found).expect_err("out of reach");
            assert_eq!(refused.why, OutOfReach::Loopback, "{host}");
        }
    }

    #[test]
    fn of_several_addresses_only_those_within_reach_are_left() {
        let found = ["127.0.0.1:80", "192.0.2.1:80", "[fe80::1]:80"].map(|socket| socket.parse().expect("an address"));
        let permitted = guarded(&[], &[]).permitted("example.com", found).expect("one is left");
        assert_eq!(permitted, [found[1]]);
        let refused = guarded(&[], &[]).permitted("example.com", [found[2]]).expect_err("none is left");
        assert_eq!(
            refused.to_string(),
            "example.com is at fe80::1, and sources may not reach link-local addresses unless the controller runs \
             with --allow-egress=fe80::1"
        );
    }
    /// A name that leads to `first`, and from the second lookup on to a metadata service.
    #[derive(Debug)]
    struct Rebinding {
        first: SocketAddr,
        lookups: Arc<AtomicUsize>,
    }

    impl Resolver for Rebinding {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            let is_first = self.lookups.fetch_add(1, Ordering::Relaxed) == 0;
            found.push(if is_first { self.first } else { ([169, 254, 169, 254], 80).into() });
            Ok(found)
        }
    }

    #[test]
    fn dns_rebinding_what_was_checked_is_what_is_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let first = listener.local_addr().expect("bound");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let read = stream.read(&mut [0; 4096]).expect("a question");
            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").expect("an answer");
            read
        });
        let lookups = Arc::new(AtomicUsize::new(0));
        let lookup = Rebinding { first, lookups: Arc::clone(&lookups) };
        let resolver = CheckedResolver { egress: guarded(&["127.0.0.1"], &[]), lookup };
        let agent = Agent::with_parts(Agent::config_builder().proxy(None).build(), DefaultConnector::new(), resolver);
        assert_eq!(agent.get("http://rebinding.example/").call().expect("an answer").status(), 204);
        assert_eq!(lookups.load(Ordering::Relaxed), 1, "nobody asks again after the check");
        assert!(server.join().expect("it served") > 0);
        let error = agent.get("http://rebinding.example/").call().expect_err("out of reach").to_string();
        assert!(error.contains("sources may not reach addresses of cloud metadata services"), "{error}");
    }
}
