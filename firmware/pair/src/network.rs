//! TCP and DHCP over the board's wire.

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{dhcpv4, tcp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

use crate::board::{Mailbox, say};

const FRAME_BYTES: usize = 1514;

struct Wire;

struct Frame;

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        let mut frame = [0; FRAME_BYTES];
        take(Mailbox.message(&mut frame))
    }
}

impl TxToken for Frame {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let mut frame = [0; FRAME_BYTES];
        let frame = &mut frame[..len.min(FRAME_BYTES)];
        let filled = fill(frame);
        Mailbox.send(frame);
        filled
    }
}

impl Device for Wire {
    type RxToken<'a> = Frame;
    type TxToken<'a> = Frame;

    fn receive(&mut self, _: Instant) -> Option<(Frame, Frame)> {
        (Mailbox.number() > 0).then_some((Frame, Frame))
    }

    fn transmit(&mut self, _: Instant) -> Option<Frame> {
        Some(Frame)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME_BYTES;
        capabilities
    }
}

/// The stack with a socket to the gateway.
pub struct Network {
    interface: Interface,
    sockets: SocketSet<'static>,
    dhcp: SocketHandle,
    gateway: SocketHandle,
    #[cfg(feature = "dependency")]
    names: SocketHandle,
}

impl Network {
    pub fn new(mailbox: &mut Mailbox) -> Self {
        let config = Config::new(EthernetAddress(mailbox.array()).into());
        let interface = Interface::new(config, &mut Wire, Instant::ZERO);
        let mut sockets = SocketSet::new(storage());
        let buffers = buffers();
        let receive = tcp::SocketBuffer::new(&mut buffers.0[..]);
        let transmit = tcp::SocketBuffer::new(&mut buffers.1[..]);
        Self {
            interface,
            dhcp: sockets.add(dhcpv4::Socket::new()),
            gateway: sockets.add(tcp::Socket::new(receive, transmit)),
            #[cfg(feature = "dependency")]
            names: sockets.add(smoltcp::socket::dns::Socket::new(&[], queries())),
            sockets,
        }
    }

    pub fn poll(&mut self, mailbox: &mut Mailbox) {
        let now = Instant::from_millis(mailbox.number());
        self.interface.poll(now, &mut Wire, &mut self.sockets);
        let event = self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).poll();
        if let Some(dhcpv4::Event::Configured(lease)) = event {
            self.interface.update_ip_addrs(|addresses| {
                addresses.clear();
                let _ = addresses.push(IpCidr::Ipv4(lease.address));
            });
            if let Some(router) = lease.router {
                let _ = self.interface.routes_mut().add_default_ipv4_route(router);
            }
            say(format_args!("address {}", lease.address));
        }
        #[cfg(feature = "dependency")]
        self.look_up();
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.gateway);
        if !socket.is_open() {
            let address = IpAddress::v4(10, 0, 2, 2);
            let connected = socket.connect(self.interface.context(), (address, 8000), 49_152);
            if let Err(error) = connected {
                say(format_args!("no connection: {error}"));
            }
        }
        let mut bytes = [0; 512];
        if socket.can_recv()
            && let Ok(len) = socket.recv_slice(&mut bytes)
        {
            mailbox.send(&bytes[..len]);
        }
        if socket.can_send() {
            let _ = socket.send_slice(mailbox.message(&mut bytes));
        }
    }

    #[cfg(feature = "dependency")]
    fn look_up(&mut self) {
        use smoltcp::socket::dns;
        use smoltcp::wire::DnsQueryType;

        let socket = self.sockets.get_mut::<dns::Socket<'_>>(self.names);
        let context = self.interface.context();
        let query = socket.start_query(context, "gateway.local", DnsQueryType::Aaaa);
        match query.map(|query| socket.get_query_result(query)) {
            Ok(Ok(addresses)) => say(format_args!("gateway at {:?}", addresses.first())),
            Ok(Err(error)) => say(format_args!("{error}")),
            Err(error) => say(format_args!("{error}")),
        }
    }
}

#[expect(static_mut_refs, reason = "called once, before anything else runs")]
fn storage() -> &'static mut [SocketStorage<'static>] {
    static mut STORAGE: [SocketStorage<'static>; 3] = [SocketStorage::EMPTY; 3];
    // SAFETY: called once.
    unsafe { &mut STORAGE }
}

#[expect(static_mut_refs, reason = "called once, before anything else runs")]
fn buffers() -> &'static mut ([u8; 2048], [u8; 2048]) {
    static mut BUFFERS: ([u8; 2048], [u8; 2048]) = ([0; 2048], [0; 2048]);
    // SAFETY: called once.
    unsafe { &mut BUFFERS }
}

#[cfg(feature = "dependency")]
#[expect(static_mut_refs, reason = "called once, before anything else runs")]
fn queries() -> &'static mut [Option<smoltcp::socket::dns::DnsQuery>] {
    static mut QUERIES: [Option<smoltcp::socket::dns::DnsQuery>; 1] = [None];
    // SAFETY: called once.
    unsafe { &mut QUERIES }
}
