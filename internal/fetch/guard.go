package fetch

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// reach says how an address may be dialled.
type reach int

const (
	public    reach = iota
	private         // when the operator allows the host
	linkLocal       // when the operator allows this very address
	never
)

// ranges are all that is not the public internet, after IANA's special-purpose registries. The
// first match decides.
var ranges = []struct {
	prefix netip.Prefix
	reach  reach
}{
	{netip.MustParsePrefix("0.0.0.0/8"), never},          // this network
	{netip.MustParsePrefix("10.0.0.0/8"), private},       // private
	{netip.MustParsePrefix("100.64.0.0/10"), private},    // carrier-grade NAT
	{netip.MustParsePrefix("127.0.0.0/8"), private},      // loopback
	{netip.MustParsePrefix("169.254.0.0/16"), linkLocal}, // link-local, cloud metadata
	{netip.MustParsePrefix("172.16.0.0/12"), private},    // private
	{netip.MustParsePrefix("192.0.0.0/24"), private},     // IETF protocol assignments
	{netip.MustParsePrefix("192.0.2.0/24"), private},     // documentation
	{netip.MustParsePrefix("192.88.99.0/24"), private},   // 6to4 relay
	{netip.MustParsePrefix("192.168.0.0/16"), private},   // private
	{netip.MustParsePrefix("198.18.0.0/15"), private},    // benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), private},  // documentation
	{netip.MustParsePrefix("203.0.113.0/24"), private},   // documentation
	{netip.MustParsePrefix("224.0.0.0/4"), never},        // multicast
	{netip.MustParsePrefix("240.0.0.0/4"), never},        // reserved, broadcast
	{netip.MustParsePrefix("::/128"), never},             // unspecified
	{netip.MustParsePrefix("::1/128"), private},          // loopback
	{netip.MustParsePrefix("fe80::/10"), linkLocal},      // link-local
	{netip.MustParsePrefix("fc00::/7"), private},         // unique local
	{netip.MustParsePrefix("64:ff9b::/96"), private},     // NAT64: IPv4 inside
	{netip.MustParsePrefix("64:ff9b:1::/48"), private},   // local NAT64: IPv4 inside
	{netip.MustParsePrefix("2001::/23"), private},        // IETF assignments, Teredo: IPv4 inside
	{netip.MustParsePrefix("2001:db8::/32"), private},    // documentation
	{netip.MustParsePrefix("3fff::/20"), private},        // documentation
	{netip.MustParsePrefix("2002::/16"), private},        // 6to4: IPv4 inside
	{netip.MustParsePrefix("2000::/3"), public},          // global unicast
	{netip.MustParsePrefix("::/0"), never},               // all else: IPv4-compatible, site-local, multicast, unassigned
}

// reachOf judges one address. An IPv4-mapped one is judged as the IPv4 address it is dialled as.
func reachOf(ip netip.Addr) reach {
	if !ip.IsValid() || ip.Zone() != "" {
		return never
	}
	ip = ip.Unmap()
	for _, r := range ranges {
		if r.prefix.Contains(ip) {
			return r.reach
		}
	}
	return public // IPv4 outside of every range above
}

// allowed is the set of hosts and host:port pairs whose addresses may be private.
type allowed map[string]bool

func parseAllowed(entries []string) allowed {
	a := allowed{}
	for _, e := range entries {
		host, port, err := net.SplitHostPort(e)
		if err != nil {
			host, port = strings.Trim(e, "[]"), ""
		}
		a[hostKey(host, port)] = true
	}
	return a
}

func (a allowed) has(host, port string) bool {
	return a[hostKey(host, port)] || a[hostKey(host, "")]
}

// hostKey writes a host one way: small letters, no closing dot, addresses in their short form.
func hostKey(host, port string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	}
	return host + "|" + port
}

// permits says whether an address that a host resolved to may be dialled.
func (a allowed) permits(host, port string, ip netip.Addr) bool {
	switch reachOf(ip) {
	case public:
		return true
	case private:
		return a.has(host, port)
	case linkLocal:
		literal, err := netip.ParseAddr(host)
		return err == nil && literal.Unmap() == ip.Unmap() && a.has(host, port)
	}
	return false
}

var notPublic = refused("it leads to an address that is not public; the operator can allow the host with allowPrivate")

// dialer opens connections and refuses addresses after the name was resolved, at the last moment
// before the connection is made: what is checked is what is dialled.
type dialer struct {
	allow    allowed
	timeout  time.Duration
	resolver *net.Resolver
}

// DialContext gets the host as the URL has it; ControlContext gets each address that it tries.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, refused("the address has no host and port")
	}
	if ip, err := netip.ParseAddr(host); err == nil && !d.allow.permits(host, port, ip) {
		return nil, notPublic // before a machine without IPv6 says something else about it
	}
	plain := net.Dialer{Timeout: d.timeout, KeepAlive: 30 * time.Second, Resolver: d.resolver}
	plain.ControlContext = func(_ context.Context, _, dialled string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(dialled)
		if err != nil || !d.allow.permits(host, port, to.Addr()) {
			return notPublic
		}
		return nil
	}
	return plain.DialContext(ctx, network, address)
}
