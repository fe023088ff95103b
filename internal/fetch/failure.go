package fetch

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/tuttihq/tutti"
)

// ErrRefused is in every error about a request that this client will not make. Trying again
// does not help.
var ErrRefused = errors.New("refused")

type refusal string

func (r refusal) Error() string        { return string(r) }
func (r refusal) Is(target error) bool { return target == ErrRefused }

func refused(why string) error { return refusal(why) }

// failure makes the error that callers see. net/http quotes whole addresses in its errors, so
// none of them is passed on: known ones are told in our words, others without detail.
func failure(host string, err error) error {
	if host == "" {
		return tutti.Errorf(codeOf(err), "fetching: %w", told(err))
	}
	what := told(err)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound && !strings.HasPrefix(host, dns.Name) {
		what = errors.New("it leads to another host, whose name is not known")
	}
	return tutti.Errorf(codeOf(err), "fetching from %s: %w", host, what)
}

func codeOf(err error) tutti.Code {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, tutti.TooLarge):
		return tutti.TooLarge
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return tutti.Timeout
	}
	return tutti.Unavailable
}

// told gives an error that is safe to show: constant texts, codes of the system, and what
// certificates say about themselves.
func told(err error) error {
	var (
		refusal     refusal
		dns         *net.DNSError
		errno       syscall.Errno
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		hostname    x509.HostnameError
	)
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.Is(err, tutti.TooLarge):
		return errTooLarge
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case codeOf(err) == tutti.Timeout:
		return errors.New("the time limit passed")
	case errors.As(err, &dns) && dns.IsNotFound:
		return errors.New("the host name is not known")
	case errors.As(err, &dns):
		return errors.New("looking up the host name failed")
	case errors.As(err, &hostname):
		return errors.New("the certificate is for another host")
	case errors.As(err, &certificate):
		return errors.New("the certificate cannot be verified")
	case errors.As(err, &record):
		return errors.New("the answer is not TLS")
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, errCoding):
		return errCoding
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return errors.New("the answer is not the gzip that it claims to be")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection closed before the answer was complete")
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		return errors.New("the exchange failed")
	}
	return errors.New("reading the answer failed")
}
