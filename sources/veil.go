package sources

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

// veil keeps ids of items that are not public out of what leaves the process: a tag of one is
// written for others as an HMAC under the deployment's secret. Every replica has that secret and
// puts the veiled form on what it keeps, beside the plain one.
type veil struct {
	secret []byte
	kinds  map[string]bool // names of kinds, and of records that such kinds are made of
}

// newVeil makes the veil of a source. Without a secret nothing can be told to others anyway.
func newVeil(secret []byte, kinds map[string]*kind) *veil {
	v := &veil{secret: secret, kinds: map[string]bool{}}
	for _, k := range kinds {
		if k.Access != tutti.AccessPublic {
			v.kinds[k.Name] = true
			for _, d := range k.def.DependsOn {
				v.kinds[d] = true
			}
		}
	}
	return v
}

// over gives the form in which a tag leaves the process.
func (v *veil) over(tag string) string {
	kindTag, id, one := strings.Cut(tag, "/")
	_, kind, _ := strings.Cut(kindTag, ":")
	if !one || id == "*" || !v.kinds[kind] {
		return tag
	}
	mac := hmac.New(sha256.New, v.secret)
	mac.Write([]byte(tag))
	return kindTag + "/~" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// beside gives tags and the veiled form of those that have one.
func (v *veil) beside(tags []string) []string {
	if len(v.kinds) == 0 {
		return tags
	}
	all := tags
	for _, tag := range tags {
		if t := v.over(tag); t != tag {
			all = append(slices.Clip(all), t)
		}
	}
	return all
}

// outward gives tags as they leave the process.
func (v *veil) outward(tags []string) []string {
	out := make([]string, len(tags))
	for i, tag := range tags {
		out[i] = v.over(tag)
	}
	return out
}
