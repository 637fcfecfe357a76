use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use proptest::prelude::*;

use super::*;

fn kind(address: &str) -> Option<&'static str> {
    kind_if_not_public(address.parse().unwrap())
}

#[test]
fn addresses_of_the_internet_and_of_this_host_may_be_connected_to() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "127.0.0.1",
        "127.255.0.9",
        "169.253.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "::1",
        "::ffff:1.1.1.1",
        "::ffff:127.0.0.1",
        "2000::1",
        "2001:200::1",
        "2606:4700::1111",
        "2002:101:101::",
        "64:ff9b::1.1.1.1",
    ] {
        assert_eq!(kind(address), None, "{address}");
    }
}

#[test]
fn other_addresses_are_refused_and_named() {
    for (expected, addresses) in [
        (
            PRIVATE,
            &[
                "10.0.0.0",
                "10.255.255.255",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "fc00::1",
                "fdff::1",
                "fd00:ec2::254",
                "::ffff:10.0.0.1",
                "64:ff9b::192.168.0.1",
                "2002:a00:1::1",
            ][..],
        ),
        (LINK_LOCAL, &["169.254.0.1", "fe80::1", "febf::1"]),
        (
            METADATA,
            &["169.254.169.254", "::ffff:169.254.169.254", "168.63.129.16"],
        ),
        (
            "an address of a provider's network",
            &["100.64.0.0", "100.100.100.200", "100.127.255.255"],
        ),
        (
            MULTICAST,
            &[
                "224.0.0.1",
                "239.255.255.255",
                "ff02::1",
                "::ffff:224.0.0.1",
            ],
        ),
        (
            RESERVED,
            &[
                "0.0.0.0",
                "0.1.2.3",
                "192.0.0.192",
                "192.0.2.1",
                "192.88.99.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::2",
                "::127.0.0.1",
                "64:ff9b::127.0.0.1",
                "2002:7f00:1::",
                "64:ff9b:1::1",
                "100::1",
                "2001::1",
                "2001:db8::1",
                "3fff:fff::1",
                "5f00::1",
                "fec0::1",
            ],
        ),
    ] {
        for address in addresses {
            assert_eq!(kind(address), Some(expected), "{address}");
        }
    }
}

proptest! {
    #[test]
    fn an_address_is_the_same_in_the_form_of_the_other_family(ip: u32) {
        let ip = Ipv4Addr::from_bits(ip);
        prop_assert_eq!(kind_of_v6(ip.to_ipv6_mapped()), kind_of_v4(ip));
    }
}

const TIMEOUT: Duration = Duration::from_secs(10);

/// `rebound.example` leads into the private network, `mixed.example` there and to this host,
/// all others to this host.
fn fake(host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
    let addresses = match host {
        "rebound.example" => vec!["10.0.0.1"],
        "mixed.example" => vec!["127.0.0.1", "10.0.0.1"],
        _ => vec!["127.0.0.1"],
    };
    let addresses = addresses
        .into_iter()
        .map(|ip| SocketAddr::new(ip.parse().unwrap(), 0));
    Box::pin(std::future::ready(Ok(addresses.collect())))
}

async fn get(reach: Reach, url: &str) -> Result<u16, reqwest::Error> {
    get_within(TIMEOUT, reach, url).await
}

async fn get_within(timeout: Duration, reach: Reach, url: &str) -> Result<u16, reqwest::Error> {
    let client = Client::with_lookup(reach, timeout, false, fake).unwrap();
    let request = client.request(Method::GET, url.parse().unwrap()).unwrap();
    Ok(request.send().await?.status().as_u16())
}

/// Answers one request on this host, at this port.
fn answer_one() -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]).unwrap();
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        connection.write_all(answer).unwrap();
    });
    (port, served)
}

#[tokio::test]
async fn a_name_is_connected_to_by_the_address_that_was_checked() {
    let (port, served) = answer_one();
    let url = format!("http://good.example:{port}/");
    assert_eq!(get(Reach::Public, &url).await.unwrap(), 204);
    served.join().unwrap();
}

#[tokio::test]
async fn a_name_that_leads_into_the_private_network_is_refused() {
    let (port, served) = answer_one();
    for host in ["rebound.example", "mixed.example"] {
        let url = format!("http://{host}:{port}/");
        let error = get(Reach::Public, &url).await.unwrap_err();
        let expected =
            format!("10.0.0.1, where {host} leads, is a private address: nothing is sent there");
        assert_eq!(refusal(&error).unwrap().to_string(), expected);
    }
    let url = format!("http://mixed.example:{port}/");
    assert_eq!(get(Reach::Anywhere, &url).await.unwrap(), 204);
    served.join().unwrap();
}

#[test]
fn an_address_beyond_the_reach_is_refused_however_it_is_written() {
    let client = Client::new(Reach::Public, TIMEOUT, false).unwrap();
    let anywhere = Client::new(Reach::Anywhere, TIMEOUT, false).unwrap();
    for url in [
        "http://10.0.0.1/",
        "http://0xa000001/",
        "http://012.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:10.0.0.1]/",
        "http://[fd00::1]:80/",
        "http://0/",
    ] {
        let url: Url = url.parse().unwrap();
        assert!(client.request(Method::GET, url.clone()).is_err(), "{url}");
        assert!(anywhere.request(Method::GET, url).is_ok());
    }
    let internet = Client::new(Reach::Internet, TIMEOUT, false).unwrap();
    for loopback in [
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.2]/",
    ] {
        let url: Url = loopback.parse().unwrap();
        assert!(client.request(Method::GET, url.clone()).is_ok());
        assert!(internet.request(Method::GET, url).is_err(), "{loopback}");
    }
}

#[tokio::test]
async fn who_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://127.0.0.1:{}/",
        listener.local_addr().unwrap().port()
    );
    let timeout = Duration::from_millis(100);
    let error = get_within(timeout, Reach::Public, &url).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}
