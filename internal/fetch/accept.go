package fetch

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const maxURL = 16 << 10

// acceptable refuses addresses that no origin needs: other schemes, credentials inside, hosts
// written in a way that two readers may read differently. It does not say that the address is
// public: the dialer does that.
func acceptable(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refused("only http and https addresses are fetched")
	case u.Opaque != "" || u.Host == "":
		return refused("the address has no host")
	case u.User != nil:
		return refused("the address holds credentials; send them in a header")
	case len(u.Host)+len(u.Path)+len(u.RawQuery) > maxURL:
		return refused("the address is longer than 16 KiB")
	}
	if strings.HasSuffix(u.Host, ":") {
		return refused("the port is empty")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return refused("the port is not between 1 and 65535")
		}
	}
	return acceptableHost(u.Hostname(), strings.HasPrefix(u.Host, "["))
}

func acceptableHost(host string, bracketed bool) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.Zone() != "":
			return refused("the address names a network interface")
		case ip.Is6() != bracketed:
			return refused("the host is not well formed")
		}
		return nil
	}
	if bracketed || len(host) > 253 {
		return refused("the host is not well formed")
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, labelBytes) != "" || l[0] == '-' || l[len(l)-1] == '-' {
			return refused("the host is not well formed; write other letters in punycode (xn--)")
		}
	}
	if looksNumeric(labels[len(labels)-1]) {
		return refused("the host looks like an odd way to write an IP address")
	}
	return nil
}

const labelBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// looksNumeric finds last labels that some resolvers read as part of an IPv4 address: 2130706433,
// 0x7f000001, 017700000001, 127.1.
func looksNumeric(label string) bool {
	if strings.Trim(label, "0123456789") == "" {
		return true
	}
	hex, ok := strings.CutPrefix(strings.ToLower(label), "0x")
	return ok && strings.Trim(hex, "0123456789abcdef") == ""
}
