package sources

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// SignSpec says how addresses of renditions are signed.
type SignSpec struct {
	Scheme string `yaml:"scheme"` // Whose signature it is.
	Key    string `yaml:"key"`    // Hexadecimal.
	Salt   string `yaml:"salt"`   // Hexadecimal.
}

// signature is a compiled SignSpec.
type signature struct{ key, salt *template }

var signatures = []string{"imgproxy"}

const signatureName = "signature"

// signature compiles how addresses are signed; nil when they are not.
func (c *compiler) signature(at string, s *RenditionSpec) *signature {
	for _, of := range [][2]string{{"scale", s.Scale}, {"crop", s.Crop}} {
		key, address := of[0], of[1]
		if address == "" || (s.Sign != nil) == (strings.Count(address, "${signature}/") == 1) {
			continue
		}
		if s.Sign == nil {
			c.wrong(at+"."+key, "uses ${signature}, and sign is missing", "Write, for example:  sign: {scheme: imgproxy, key: \"${secrets.key}\", salt: \"${secrets.salt}\"}")
		} else {
			c.wrong(at+"."+key, "does not have one ${signature} with a slash after it", "It signs all that follows. Write, for example:  ${settings.proxy}/${signature}/rs:fit:${width}/plain/${record.url}")
		}
	}
	if s.Sign == nil {
		return nil
	}
	if s.Sign.Scheme != "imgproxy" {
		c.wrong(at+".sign.scheme", unknown(s.Sign.Scheme), "Write imgproxy.")
	}
	for _, of := range [][2]string{{"key", s.Sign.Key}, {"salt", s.Sign.Salt}} {
		if of[1] == "" {
			c.wrong(at+".sign."+of[0], "is missing", "Write, for example:  "+of[0]+": ${secrets."+of[0]+"}")
		}
	}
	out := &signature{key: c.template(at+".sign.key", s.Sign.Key, configNames), salt: c.template(at+".sign.salt", s.Sign.Salt, configNames)}
	c.notWritten(at+".sign.key", "key", out.key)
	c.notWritten(at+".sign.salt", "salt", out.salt)
	return out
}

// pathSigner signs the paths of one source's renditions, as "Signing a URL" of imgproxy's documentation says.
type pathSigner struct{ key, salt []byte }

// open gives the signer of one source; nil where key or salt is not set. False when they are not hexadecimal.
func (s *signature) open(given map[string]any) (*pathSigner, bool) {
	values, ok, err := rendered(given, s.key, s.salt)
	if err != nil || !ok {
		return nil, err == nil
	}
	key, err1 := hex.DecodeString(values[0])
	salt, err2 := hex.DecodeString(values[1])
	return &pathSigner{key, salt}, err1 == nil && err2 == nil
}

// sign gives the signature of a path, which starts with a slash.
func (s *pathSigner) sign(path string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write(s.salt)
	m.Write([]byte(path))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
