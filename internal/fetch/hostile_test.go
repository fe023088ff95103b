package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tuttihq/tutti"
)

// hostile are addresses that all lead to this machine, to a private network or to nothing good.
// PORT is the port of a server that counts who reaches it; names resolve to loopback.
var hostile = func() []string {
	b, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		panic(err)
	}
	return strings.Fields(string(b))
}()

// target counts who reaches loopback, on IPv4 and, where the machine has it, IPv6.
func target(t testing.TB) (port string, hits *atomic.Int64) {
	hits = new(atomic.Int64)
	count := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	for _, l := range []net.Listener{l, listen("[::1]:" + port)} {
		if l != nil {
			s := &http.Server{Handler: count}
			go s.Serve(l)
			t.Cleanup(func() { s.Close() })
		}
	}
	return port, hits
}

func listen(address string) net.Listener {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil // no IPv6 here
	}
	return l
}

// names is a DNS server whose every answer is what script says, and a resolver that asks it.
func names(t testing.TB, script func(name string) []netip.Addr) *net.Resolver {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			for _, ip := range script(strings.TrimSuffix(q.Name.String(), ".")) {
				h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
				if ip.Is4() && q.Type == dnsmessage.TypeA {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
				} else if ip.Is6() && q.Type == dnsmessage.TypeAAAA {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
				}
			}
			out, err := m.Pack()
			if err == nil {
				conn.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func loopback(string) []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
}

func TestHostileAddressesReachNothing(t *testing.T) {
	port, hits := target(t)
	resolver := names(t, loopback)
	if len(hostile) < 150 {
		t.Fatalf("the table has only %d addresses", len(hostile))
	}
	c := New(Config{Resolver: resolver})
	defer c.Close()
	if c.transport.Proxy != nil {
		t.Error("a proxy from the environment would dial unguarded")
	}
	for _, h := range hostile {
		h = strings.ReplaceAll(h, "PORT", port)
		res, err := c.Do(t.Context(), Request{URL: h, Header: http.Header{"X-Api-Key": {"sesame"}}})
		if !errors.Is(err, ErrRefused) || !errors.Is(err, tutti.Unavailable) {
			t.Errorf("%s: got %v, %v; want it refused", h, res, err)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("%d requests reached the target", n)
	}

	plainly := func() int64 { // the table is worth something: a plain client gets through
		only := func(_, a string, _ syscall.RawConn) error {
			if ip := netip.MustParseAddrPort(a).Addr(); !ip.IsLoopback() {
				return fmt.Errorf("%s would leave this machine", a)
			}
			return nil
		}
		tr := &http.Transport{DialContext: (&net.Dialer{Resolver: resolver, Control: only}).DialContext}
		defer tr.CloseIdleConnections()
		for _, h := range hostile {
			if res, err := (&http.Client{Transport: tr}).Get(strings.ReplaceAll(h, "PORT", port)); err == nil {
				res.Body.Close()
			}
		}
		return hits.Load()
	}
	if n := plainly(); n < 15 {
		t.Errorf("a plain client reached the target %d times; the table proves little", n)
	}
}

func TestOnlyClearAddressesAreAccepted(t *testing.T) {
	accepted := func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && acceptable(u) == nil
	}
	for _, s := range []string{
		"http://acme.example", "https://acme.example:8443/a%20b?q=%00#f", "HTTPS://ACME.example./", "http://a_b.acme.example", "http://xn--bcher-kva.example",
		"http://1.example", "http://0xcafe.example", "http://8.8.8.8", "http://[2606:4700::1]:80", "http://[::ffff:8.8.8.8]", "http://localhost", "http://10.0.0.1", "http://1e100.net",
	} {
		if !accepted(s) {
			t.Errorf("%s is refused", s)
		}
	}
	for _, s := range []string{
		"", "acme.example", "//acme.example", "http:acme.example", "ftp://acme.example", "http://", "http://:80", "http://acme.example:", "http://acme.example:0", "http://acme.example:65536",
		"http://user@acme.example", "http://:@acme.example", "http://0x7f000001", "http://0X7F.0x1", "http://0x", "http://2130706433", "http://127.1", "http://1.2.3.4.5", "http://127.0.0.01", "http://127.0.0.1.",
		"http://[8.8.8.8]", "http://[acme.example]", "http://[2606:4700::1%25eth0]", "http://b\u00fccher.example", "http://a..example", "http://-a.example", "http://a-.example", "http://a b.example",
		"http://" + strings.Repeat("a", 64) + ".example", "http://" + strings.Repeat("a.", 130) + "example", "http://acme.example/" + strings.Repeat("a", maxURL),
	} {
		if accepted(s) {
			t.Errorf("%s is accepted", s)
		}
	}
	for _, host := range []string{"[8.8.8.8]", "[acme.example]", "a@acme.example", "acme.example/x"} { // as no parser makes them
		if u := (&url.URL{Scheme: "http", Host: host}); acceptable(u) == nil {
			t.Errorf("%q is accepted as a host", host)
		}
	}
}

func TestNameThatChangesItsAddressAfterACheckIsRefused(t *testing.T) {
	port, hits := target(t)
	var asked atomic.Int64
	resolver := names(t, func(name string) []netip.Addr {
		if asked.Add(1) <= 2 { // one lookup asks for A and AAAA
			return []netip.Addr{netip.MustParseAddr("8.8.8.8")}
		}
		return loopback(name)
	})
	first, err := resolver.LookupNetIP(t.Context(), "ip", "rebind.example.")
	if err != nil || reachOf(first[0]) != public {
		t.Fatalf("checking first gives %v, %v; want a public address", first, err)
	}
	_, err = New(Config{Resolver: resolver}).Do(t.Context(), Request{URL: "http://rebind.example.:" + port})
	if !errors.Is(err, ErrRefused) || hits.Load() != 0 {
		t.Errorf("got %v and %d hits; want it refused", err, hits.Load())
	}
}

func TestAllowedHostIsReachedAndNoOther(t *testing.T) {
	port, hits := target(t)
	resolver := names(t, loopback)
	for _, tt := range []struct {
		allow, url string
		want       bool
	}{
		{"127.0.0.1", "http://127.0.0.1:PORT/", true},
		{"127.0.0.1:PORT", "http://127.0.0.1:PORT/", true},
		{"127.0.0.1:1", "http://127.0.0.1:PORT/", false},
		{"127.0.0.1", "http://127.0.0.2:PORT/", false},
		{"origin.internal", "http://Origin.Internal:PORT/", true},
		{"Origin.Internal:PORT", "http://origin.internal.:PORT/", true},
		{"origin.internal", "http://other.internal:PORT/", false},
		{"origin.internal", "http://127.0.0.1:PORT/", false},
		{"internal", "http://origin.internal:PORT/", false},
		{"0.0.0.0", "http://0.0.0.0:PORT/", false},
		{"", "http://127.0.0.1:PORT/", false},
	} {
		hits.Store(0)
		c := New(Config{Resolver: resolver, AllowPrivate: []string{strings.ReplaceAll(tt.allow, "PORT", port)}})
		_, err := c.Do(t.Context(), Request{URL: strings.ReplaceAll(tt.url, "PORT", port)})
		if got := err == nil && hits.Load() == 1; got != tt.want || !tt.want && hits.Load() != 0 {
			t.Errorf("allow %q, %s: got %v with %d hits, want reached = %v", tt.allow, tt.url, err, hits.Load(), tt.want)
		}
		c.Close()
	}
}

func TestReachOfAddresses(t *testing.T) {
	for a, want := range map[string]reach{
		"8.8.8.8": public, "1.1.1.1": public, "100.63.255.255": public, "100.128.0.0": public, "172.32.0.1": public, "223.255.255.255": public,
		"2606:4700:4700::1111": public, "2a00:1450::1": public, "::ffff:8.8.8.8": public,
		"::ffff:10.0.0.1": private, "64:ff9b::808:808": private, "2002:808:808::1": private, "2001::1": private,
		"169.254.169.254": linkLocal, "fe80::1": linkLocal, "::ffff:169.254.1.1": linkLocal,
		"224.0.0.1": never, "255.255.255.255": never, "::": never, "::8.8.8.8": never, "ff02::1": never, "4000::1": never, "fec0::1": never,
		"2606:4700:4700::1111%eth0": never, "::1%lo": never,
	} {
		if got := reachOf(netip.MustParseAddr(a)); got != want {
			t.Errorf("reachOf(%s) = %d, want %d", a, got, want)
		}
	}
	local := parseAllowed([]string{"meta.internal", "169.254.169.254"})
	meta := netip.MustParseAddr("169.254.169.254")
	if local.permits("meta.internal", "80", meta) || !local.permits("169.254.169.254", "80", meta) {
		t.Error("a link-local address is for those who allowed the address itself, not a name")
	}
}

// TestNamesThatLieReachNothing resolves names to one thing now and to another then, or to several at once: whatever a
// name says, it is the address that is dialled that counts.
func TestNamesThatLieReachNothing(t *testing.T) {
	port, hits := target(t)
	ip := netip.MustParseAddr
	private := []netip.Addr{ip("10.0.0.1"), ip("169.254.169.254"), ip("192.168.0.1"), ip("fd00::1"), ip("fe80::1"), ip("0.0.0.0"), ip("::")}
	var asked atomic.Int64
	resolver := names(t, func(name string) []netip.Addr {
		n := int(asked.Add(1))
		switch {
		case strings.HasPrefix(name, "many."):
			return append(append([]netip.Addr{}, private...), loopback(name)...)
		case strings.HasPrefix(name, "mapped."):
			return []netip.Addr{ip("::ffff:127.0.0.1"), ip("64:ff9b::7f00:1"), ip("2002:7f00:1::")}
		}
		return append([]netip.Addr{private[n%len(private)]}, loopback(name)...) // another answer each time
	})
	c := New(Config{Resolver: resolver, AllowPrivate: []string{"allowed.example:1"}})
	defer c.Close()
	for i := range 60 {
		name := [...]string{"many.example", "mapped.example", "turns.example", "allowed.example"}[i%4]
		if _, err := c.Do(t.Context(), Request{URL: "http://" + name + ":" + port + "/"}); !errors.Is(err, ErrRefused) && !errors.Is(err, tutti.Unavailable) {
			t.Errorf("%s comes to %v", name, err)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests reached the target", hits.Load())
	}
}
