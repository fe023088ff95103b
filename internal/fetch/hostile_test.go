package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tuttihq/tutti"
)

// hostile are addresses that all lead to this machine, to a private network or to nothing good.
// PORT is the port of a server that counts who reaches it; names resolve to loopback.
var hostile = strings.Fields(`
http://127.0.0.1:PORT/ http://127.0.0.2:PORT/ http://127.1.2.3:PORT/ http://127.255.255.254:PORT/ http://localhost:PORT/ http://LOCALHOST:PORT/
http://localhost.:PORT/ http://foo.localhost:PORT/ http://localhost.localdomain:PORT/ http://ip6-localhost:PORT/ http://0.0.0.0:PORT/ http://0:PORT/
http://0.1.2.3:PORT/ http://127.1:PORT/ http://127.0.1:PORT/ http://2130706433:PORT/ http://017700000001:PORT/ http://0x7f000001:PORT/ http://0x7F.1:PORT/
http://0177.0.0.1:PORT/ http://0177.0.0.0x1:PORT/ http://0x7f.0x0.0x0.0x1:PORT/ http://127.0.0.01:PORT/ http://127.000.000.001:PORT/ http://00127.0.0.1:PORT/
http://4294967297:PORT/ http://127.0.0.1.:PORT/ http://[::1]:PORT/ http://[0:0:0:0:0:0:0:1]:PORT/ http://[0000::0001]:PORT/ http://[::]:PORT/
http://[::ffff:127.0.0.1]:PORT/ http://[::ffff:7f00:1]:PORT/ http://[::ffff:0:127.0.0.1]:PORT/ http://[::127.0.0.1]:PORT/ http://[::7f00:1]:PORT/
http://[64:ff9b::127.0.0.1]:PORT/ http://[64:ff9b::7f00:1]:PORT/ http://[64:ff9b:1::7f00:1]:PORT/ http://[64:ff9b::a9fe:a9fe]:PORT/ http://[2002:7f00:1::]:PORT/
http://[2002:7f00:0001::1]:PORT/ http://[2002:a9fe:a9fe::]:PORT/ http://[2002:c0a8:101::]:PORT/ http://[2001:0:7f00:1::]:PORT/ http://[2001::80ff:fffe]:PORT/
http://[2001:db8::1]:PORT/ http://[3fff::1]:PORT/ http://[fe80::1]:PORT/ http://[fe80::1%25lo]:PORT/ http://[::1%25lo]:PORT/ http://[fc00::1]:PORT/ http://[fd00::1]:PORT/ http://[fd00:ec2::254]:PORT/
http://[fec0::1]:PORT/ http://[ff01::1]:PORT/ http://[ff02::1]:PORT/ http://[ff0e::1]:PORT/ http://[100::1]:PORT/ http://[5f00::1]:PORT/ http://[::ffff:10.0.0.1]:PORT/ http://[::ffff:169.254.169.254]:PORT/
http://10.0.0.1:PORT/ http://10.255.255.255:PORT/ http://172.16.0.1:PORT/ http://172.31.255.255:PORT/ http://192.168.0.1:PORT/ http://192.168.255.255:PORT/
http://100.64.0.1:PORT/ http://100.127.255.255:PORT/ http://169.254.169.254/latest/meta-data/ http://169.254.0.1:PORT/ http://169.254.170.2/v2/credentials
http://2852039166/ http://0xa9fea9fe/ http://0251.0376.0251.0376/ http://169.254.43518/ http://169.16689662/ http://metadata.google.internal/ http://instance-data/
http://100.100.100.200/ http://192.0.0.192/ http://192.0.0.8:PORT/ http://192.0.2.1:PORT/ http://198.51.100.1:PORT/ http://203.0.113.1:PORT/ http://198.18.0.1:PORT/
http://198.19.255.255:PORT/ http://192.88.99.1:PORT/ http://224.0.0.1:PORT/ http://239.255.255.255:PORT/ http://240.0.0.1:PORT/ http://255.255.255.255:PORT/
http://127.0.0.1.nip.io:PORT/ http://www.127.0.0.1.nip.io:PORT/ http://7f000001.nip.io:PORT/ http://localtest.me:PORT/ http://rebind.example:PORT/ http://a_b.example:PORT/
http://user@127.0.0.1:PORT/ http://user:pass@127.0.0.1:PORT/ http://public.example@127.0.0.1:PORT/ http://127.0.0.1:PORT@public.example/ http://public.example%40127.0.0.1:PORT/
http://public.example:80@127.0.0.1:PORT/ http://127.0.0.1%00.public.example:PORT/ http://127.0.0.1%09:PORT/ http://127.0.0.1%2f@public.example/ http://127.0.0.1\@public.example/
http:\\127.0.0.1:PORT\ http:127.0.0.1:PORT/ http:/127.0.0.1:PORT/ http:///127.0.0.1:PORT/ //127.0.0.1:PORT/ 127.0.0.1:PORT/ http://127.0.0.1:PORT#@public.example/
http://①②⑦.⓪.⓪.①:PORT/ http://127。0。0。1:PORT/ http://127.0.0。1:PORT/ http://ⓛocalhost:PORT/ http://loc%61lhost:PORT/ http://%6c%6f%63%61%6c%68%6f%73%74:PORT/ http://xn--localhost-:PORT/
http://[127.0.0.1]:PORT/ http://[localhost]:PORT/ http://[::1:PORT/ http://::1:PORT/ http://127.0.0.1:PORT:80/ http://127.0.0.1:99999/ http://127.0.0.1:0/ http://127.0.0.1:-1/ http://127.0.0.1:/
https://127.0.0.1:PORT/ https://localhost:PORT/ https://[::1]:PORT/ https://169.254.169.254/ file:///etc/passwd gopher://127.0.0.1:PORT/_ ftp://127.0.0.1:PORT/ dict://127.0.0.1:PORT/
unix:///var/run/docker.sock ldap://127.0.0.1:PORT/ jar:http://127.0.0.1:PORT/ javascript:alert(1) data:text/plain,hello http+unix://127.0.0.1:PORT/ HTTP://127.0.0.1:PORT/ hTTps://127.0.0.1:PORT/
http://.:PORT/ http://..:PORT/ http://a..b:PORT/ http://-:PORT/ http://127.0.0.1:PORT/?url=http://127.0.0.1:PORT/ http://127.0.0.1;public.example:PORT/ http://127.0.0.1,public.example:PORT/ http://${HOST}:PORT/`)

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
