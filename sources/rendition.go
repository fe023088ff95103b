package sources

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// renditions is a compiled RenditionSpec.
type renditions struct {
	when        *expression
	scale, crop *template
	formats     map[string]string
	sizes       []size     // that the system has ready, from small to large
	signature   *signature // nil = addresses are not signed
}

func (c *compiler) renditions(at string, s *RenditionSpec) *renditions {
	if s.Scale == "" && s.Crop == "" && len(s.Sizes) == 0 {
		c.wrong(at, "has neither scale, crop nor sizes", "Write the address of a picture, with ${width} and ${height} in it.")
	}
	if s.Scale != "" && len(s.Sizes) > 0 {
		c.wrong(at+".sizes", "stands beside scale, which makes every size", "Remove one of them.")
	}
	for _, name := range sortedKeys(s.Formats) {
		if !slices.Contains(pictureFormats, name) {
			c.wrong(at+".formats."+name, "is no format that channels ask for", oneOf(name, pictureFormats[1:]))
		}
	}
	out := &renditions{
		when: c.optional(at+".when", s.When, recordNames), formats: s.Formats, sizes: c.sizes(at+".sizes", s.Sizes), signature: c.signature(at, s),
		scale: c.template(at+".scale", s.Scale, pictureNames), crop: c.template(at+".crop", s.Crop, pictureNames),
	}
	c.holes(at+".scale", out.scale, "width", "format", signatureName)
	c.holes(at+".crop", out.crop, "width", "height", "format", signatureName)
	return out
}

// pictureFormats are those that channels may ask for; "" is the system's choice.
var pictureFormats = []string{"", "avif", "webp", "jpeg", "png"}

// holes makes sure that what only a request for a picture tells stands alone in an address: it is put in last, as it is.
func (c *compiler) holes(at string, t *template, has ...string) {
	if len(t.parts) > 0 && t.parts[0].expr == nil && !strings.HasPrefix(t.parts[0].words, "http://") && !strings.HasPrefix(t.parts[0].words, "https://") && t.parts[0].words[0] != '/' {
		c.wrong(at, "is no address", "Write, for example:  https://img.example/${record.path}?w=${width}")
	}
	for _, p := range t.parts {
		for _, name := range []string{"width", "height", "format", signatureName} {
			switch {
			case p.expr == nil || !p.expr.uses([]string{name}):
			case len(p.expr.path) != 1:
				c.wrong(at, "computes with "+name+", which is not known when the record is read", "Write  ${"+name+"}  alone; formats says how a format is spelled.")
			case !slices.Contains(has, name):
				c.wrong(at, "uses ${"+name+"}, which is 0 there", "Write it in crop.")
			}
		}
	}
}

// of makes the renditions of one record; nil when it has none. What depends on the record is put
// in now, so that the record is not kept.
func (r *renditions) of(s *seen) *tutti.Renditions {
	if r.when != nil && !s.truth(r.when) {
		return nil
	}
	if r.signature != nil && s.c.signers[r] == nil {
		return nil // its secrets are not set
	}
	scale, okScale := r.scale.bind(s)
	crop, okCrop := r.crop.bind(s)
	sizes := ready(r.sizes, s)
	if !okScale && !okCrop && len(sizes) == 0 {
		return nil
	}
	signer := s.c.signers[r]
	return &tutti.Renditions{URL: func(width, height int, format string) string {
		t := scale
		if height > 0 {
			t = crop
		}
		spelled, known := format, true
		if r.formats != nil {
			spelled, known = r.formats[format]
		}
		if t == nil && height == 0 && known && width > 0 && len(sizes) > 0 {
			return fitting(sizes, width)
		}
		if t == nil || !known || width <= 0 || width > 1<<15 || height < 0 || height > 1<<15 {
			return ""
		}
		return t.address(width, height, spelled, signer)
	}}
}

// picture is an address with places for width, height and format.
type picture struct{ parts []picturePart }

type picturePart struct{ words, hole string }

// bind puts in what the record says. A record's value keeps its slashes but adds no other sign
// with a meaning; one that starts the address must be an address itself. False when a value is absent.
func (t *template) bind(seen *seen) (*picture, bool) {
	if len(t.parts) == 0 {
		return nil, false
	}
	p := &picture{}
	for i, part := range t.parts {
		if part.expr == nil {
			p.parts = append(p.parts, picturePart{words: part.words})
			continue
		}
		if n := part.expr.path; len(n) == 1 && (n[0] == "width" || n[0] == "height" || n[0] == "format" || n[0] == signatureName) {
			p.parts = append(p.parts, picturePart{hole: n[0]})
			continue
		}
		v, ok, err := seen.eval(part.expr)
		if err != nil || !ok {
			return nil, false
		}
		s, isText := toText(v)
		if !isText {
			return nil, false
		}
		if i == 0 {
			s, _, _ = strings.Cut(s, "#") // what follows it never reaches the system
			if s = address(s); !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
				return nil, false
			}
		} else if s, ok = escapePath(s); !ok {
			return nil, false
		}
		p.parts = append(p.parts, picturePart{words: text.StripHoles(s)})
	}
	return p, true
}

// escapePath escapes a value that may be several segments of a path; false when one of them
// leads elsewhere.
func escapePath(s string) (string, bool) {
	segments := strings.Split(s, "/")
	for i, seg := range segments {
		if seg == "." || seg == ".." || !printable(seg) {
			return "", false
		}
		segments[i] = url.PathEscape(seg)
	}
	return strings.Join(segments, "/"), true
}

// address writes the whole address. Where the record's part has a query already, ours continues it.
func (p *picture) address(width, height int, format string, signer *pathSigner) string {
	var b strings.Builder
	signed := -1 // where what is signed begins
	for _, part := range p.parts {
		switch part.hole {
		case "width":
			b.WriteString(strconv.Itoa(width))
		case "height":
			b.WriteString(strconv.Itoa(height))
		case "format":
			b.WriteString(url.PathEscape(format))
		case signatureName:
			signed = b.Len()
		default:
			words := part.words
			if b.Len() > 0 && strings.HasPrefix(words, "?") && strings.Contains(b.String(), "?") {
				words = "&" + words[1:]
			}
			b.WriteString(words)
		}
	}
	if signed < 0 || signer == nil {
		return b.String()
	}
	path := b.String()[signed:]
	return b.String()[:signed] + signer.sign(path) + path
}
