package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tuttihq/tutti"
)

// FilesSpec names the folder whose files are the records.
type FilesSpec struct {
	Folder string `yaml:"folder"` // The folder, relative to tutti.yaml. Of it and all folders in it the .md, .markdown, .json, .yaml and .yml are read.
	Base   string `yaml:"base"`   // Where the folder is on the web: relative links of pictures in bodies lead on from it.
}

const (
	maxFile      = 1 << 20
	maxFiles     = 100_000
	maxFilesSize = 512 << 20
	lookEvery    = time.Second // as for tutti.yaml
)

// files compiles where the files of a kind are.
func (c *compiler) files(at string, s *FilesSpec, out *call) {
	if s == nil || s.Folder == "" {
		c.wrong(at+".folder", "is missing", "Write, for example:  files: {folder: \"${settings.folder}\"}")
		return
	}
	out.folder = c.template(at+".folder", s.Folder, settingNames)
	out.base = c.template(at+".base", s.Base, settingNames)
	out.conditional, out.byTag = true, true // its version is known without reading it
}

// folders answer the calls of a source over files. Each folder is read once, then only what changed in it.
type folders struct {
	conn *manifestConnector
	of   map[*call]*folder
}

func (c *manifestConnector) openFolders(d Deps) (system, error) {
	f, byPath := &folders{conn: c, of: map[*call]*folder{}}, map[string]*folder{}
	vars := map[string]any{"settings": c.settings}
	for _, k := range c.kinds {
		for _, call := range k.calls() {
			if call.folder == nil {
				continue
			}
			at, _, err := call.folder.render(vars, nil)
			if err != nil {
				return nil, err
			}
			base, _, err := call.base.render(vars, nil)
			if err != nil {
				return nil, err
			}
			if !filepath.IsAbs(at) {
				at = filepath.Join(d.Dir, at)
			}
			if byPath[at+"\n"+base] == nil {
				byPath[at+"\n"+base] = &folder{turn: make(chan struct{}, 1), path: at, base: strings.TrimSuffix(base, "/"), source: c.source, log: d.Log}
			}
			f.of[call] = byPath[at+"\n"+base]
		}
	}
	return f, nil
}

func (f *folders) ask(ctx context.Context, k *call, _ map[string]any, validator string) ([]byte, string, error) {
	return f.of[k].read(ctx, validator)
}

func (f *folders) close() {}

// watch looks every second, as the config's own watcher does, and tells of the files that changed.
func (f *folders) watch(ctx context.Context, changed func([]Change)) {
	every(ctx, lookEvery, func() {
		told := map[*folder][]string{}
		var changes []Change
		for _, name := range sortedKeys(f.conn.kinds) {
			k := f.conn.kinds[name]
			if k.whole == nil {
				continue
			}
			from := f.of[f.conn.kinds[k.whole.of].whole.call]
			ids, looked := told[from]
			if !looked {
				ids = from.changed(ctx)
				told[from] = ids
			}
			if len(ids) > 0 {
				changes = append(changes, Change{Kind: name, IDs: ids})
			}
		}
		if len(changes) > 0 {
			changed(changes)
		}
	})
}

// folder is one folder as it was last seen. Its files are in memory only.
type folder struct {
	path, base string
	source     string
	log        *slog.Logger

	turn    chan struct{} // of one; guards all below
	files   map[string]*file
	begun   map[string]*file // that were read by looks that did not come to their end
	paths   []string         // sorted
	version int
	answer  []byte   // all records; nil = they are to be joined anew
	heard   []string // ids that changed since the last call of changed
}

// file is one file as it was last read.
type file struct {
	modified time.Time
	size     int64
	id       string // "" = it holds no record
	record   []byte
}

// is reports whether a file is as it was read.
func (f *file) is(info fs.FileInfo) bool {
	return f != nil && f.modified.Equal(info.ModTime()) && f.size == info.Size()
}

// read gives all records as a JSON list, or nil when the version is the present one.
func (f *folder) read(ctx context.Context, version string) ([]byte, string, error) {
	if err := f.lock(ctx); err != nil {
		return nil, "", err
	}
	defer f.unlock()
	if err := f.look(ctx); err != nil {
		return nil, "", err
	}
	now := strconv.Itoa(f.version)
	if version == now {
		return nil, now, nil
	}
	if f.answer == nil {
		var b bytes.Buffer
		b.WriteByte('[')
		for _, p := range f.paths {
			if r := f.files[p].record; r != nil {
				if b.Len() > 1 {
					b.WriteByte(',')
				}
				b.Write(r)
			}
		}
		b.WriteByte(']')
		f.answer = b.Bytes()
	}
	return f.answer, now, nil
}

// changed gives the ids of the files that changed since it was last called.
func (f *folder) changed(ctx context.Context) []string {
	if f.lock(ctx) != nil {
		return nil
	}
	defer f.unlock()
	if err := f.look(ctx); err != nil && ctx.Err() == nil {
		f.log.Warn("looking at a folder", "source", f.source, "err", err)
	}
	ids := f.heard
	f.heard = nil
	return ids
}

// lock waits for its turn: a folder of many files takes a while when it is looked at first.
func (f *folder) lock(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *folder) unlock() { <-f.turn }

// look reads what changed in the folder since the last time, or goes on where the last look was broken off. The caller
// has the turn.
func (f *folder) look(ctx context.Context) error {
	root, err := os.OpenRoot(f.path) // whatever a link says, nothing outside of it is opened
	if err != nil {
		return tutti.Errorf(tutti.Unavailable, "opening the folder: %w", plainCause(err))
	}
	defer root.Close()
	seen, size := make(map[string]*file, len(f.files)), int64(0)
	var paths []string
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && p != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || strings.HasPrefix(d.Name(), ".") || !isOneOf(strings.ToLower(path.Ext(p)), ".md .markdown .json .yaml .yml"):
			return nil
		}
		info, err := d.Info()
		if d.Type()&fs.ModeSymlink != 0 {
			info, err = root.Stat(p)
		}
		if err != nil || !info.Mode().IsRegular() {
			info = nil // gone since, or a link that leads out of the folder, or to no file
		}
		one := f.files[p]
		if info == nil {
			if one == nil || one.record != nil {
				f.refuse(p, "it is no file of the folder")
				one = &file{}
			}
		} else if !one.is(info) {
			if one = f.begun[p]; !one.is(info) {
				one = f.load(root, p, info)
			}
		}
		if len(paths) == maxFiles {
			return tutti.Errorf(tutti.TooLarge, "reading the folder: it holds more than %d files", maxFiles)
		}
		if size += int64(len(one.record)); size > maxFilesSize {
			return tutti.Errorf(tutti.TooLarge, "reading the folder: its files are larger than %d MB", maxFilesSize>>20)
		}
		seen[p], paths = one, append(paths, p)
		return nil
	})
	if err != nil {
		if f.begun = nil; errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			f.begun = seen
		} else if tutti.CodeOf(err) == tutti.Internal {
			err = tutti.Errorf(tutti.Unavailable, "reading the folder: %w", plainCause(err))
		}
		return err
	}
	f.note(seen)
	f.files, f.paths, f.begun = seen, paths, nil
	return nil
}

// note remembers what is different from the last time.
func (f *folder) note(seen map[string]*file) {
	var ids []string
	for p, now := range seen {
		if was := f.files[p]; was != now {
			ids = append(ids, now.id)
			if was != nil && was.id != now.id {
				ids = append(ids, was.id)
			}
		}
	}
	for p, was := range f.files {
		if seen[p] == nil {
			ids = append(ids, was.id)
		}
	}
	if len(ids) == 0 && f.version > 0 {
		return
	}
	f.answer = nil
	if f.version++; f.version == 1 {
		return // nobody has read anything of it yet
	}
	f.heard = slices.DeleteFunc(append(f.heard, ids...), func(id string) bool { return id == "" })
}

// refuse tells of a file that is left out. Nothing of what is in it is told.
func (f *folder) refuse(p, why string) {
	f.log.Warn("a file is left out", "source", f.source, "file", p, "why", why)
}

// load reads a file. One that cannot be used holds no record, until it changes.
func (f *folder) load(root *os.Root, p string, info fs.FileInfo) *file {
	one := &file{modified: info.ModTime(), size: info.Size()}
	if info.Size() > maxFile {
		f.refuse(p, "it is larger than 1 MB")
		return one
	}
	in, err := root.Open(p)
	if err != nil {
		f.refuse(p, "it cannot be opened")
		return one
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil || len(content) > maxFile {
		f.refuse(p, "it cannot be read, or is larger than 1 MB")
		return one
	}
	rec, err := readFile(p, content)
	if err != nil {
		f.refuse(p, err.Error())
		return one
	}
	rec.Modified = info.ModTime().UTC().Format(time.RFC3339)
	if f.base != "" {
		rec.At = f.base + "/" + strings.TrimPrefix(rec.Folder+"/", "/")
		rec.Body = absolutePictures(rec.Body, rec.At)
	}
	b, err := json.Marshal(rec)
	if err != nil {
		f.refuse(p, "it has a value without a JSON form")
		return one
	}
	one.id, one.record = rec.ID, b
	return one
}

// fileRecord is what manifests read of a file.
type fileRecord struct {
	ID       string         `json:"id"`   // front matter's id, else the path without its extension
	Path     string         `json:"path"` // in the folder, with slashes
	Folder   string         `json:"folder"`
	Name     string         `json:"name"` // without extension
	Modified string         `json:"modified"`
	At       string         `json:"at,omitempty"` // the address of its folder on the web, when there is a base
	Data     map[string]any `json:"data"`         // the front matter, or all of a JSON or YAML file
	Body     string         `json:"body,omitempty"`
}

// readFile reads front matter and body of Markdown, or the whole of JSON and YAML.
func readFile(p string, content []byte) (rec fileRecord, err error) {
	ext := path.Ext(p)
	rec = fileRecord{Path: p, ID: strings.TrimSuffix(p, ext), Name: strings.TrimSuffix(path.Base(p), ext), Folder: path.Dir(p)}
	if rec.Folder == "." {
		rec.Folder = ""
	}
	content = bytes.TrimPrefix(content, byteOrderMark)
	front := content
	switch strings.ToLower(ext) {
	case ".md", ".markdown":
		var body []byte
		front, body = frontMatter(content)
		rec.Body = string(body)
	case ".json":
		if !json.Valid(content) {
			return rec, errors.New("it is not JSON")
		}
	}
	var v any
	if strings.ToLower(ext) == ".json" {
		v = decode(string(content))
	} else if err := yaml.Unmarshal(front, &v); err != nil {
		return rec, errors.New(yamlPlace(err))
	}
	if v == nil {
		v = map[string]any{}
	}
	data, ok := plainYAML(v).(map[string]any)
	if !ok {
		return rec, errors.New("what it holds is no mapping")
	}
	rec.Data = data
	if id, ok := toText(data["id"]); ok && id != "" {
		rec.ID = id
	}
	if len(rec.ID) > maxID || !printable(rec.ID) {
		return rec, errors.New("its id is longer than 512 bytes, or holds control characters")
	}
	if rec.Body == "" {
		rec.Body, _ = data["body"].(string)
	}
	return rec, nil
}

// frontMatter cuts Markdown at its front matter: YAML between two lines of dashes at the beginning.
func frontMatter(content []byte) (front, body []byte) {
	m := frontLines.FindSubmatchIndex(content)
	if m == nil {
		return nil, content
	}
	return content[m[2]:m[3]], content[m[1]:]
}

var frontLines = regexp.MustCompile(`\A---[ \t]*\r?\n((?s:.*?))(?m:^)(?:---|\.\.\.)[ \t]*(?:\r?\n|\z)`)

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlPlace tells where the YAML is wrong, and nothing of what stands there.
func yamlPlace(err error) string {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		return "its YAML is wrong near line " + m[1]
	}
	return "its YAML is wrong"
}

// plainYAML gives what JSON can write: times as RFC 3339, keys as texts.
func plainYAML(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case map[string]any:
		for k, x := range v {
			v[k] = plainYAML(x)
		}
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[fmt.Sprint(k)] = plainYAML(x)
		}
		return out
	case []any:
		for i, x := range v {
			v[i] = plainYAML(x)
		}
	}
	return v
}

var relativePicture = regexp.MustCompile(`(!\[[^\]\n]*\]\(\s*<?|<img\s[^>]*?src=["'])([^)\s>"']+)`)

// absolutePictures leads relative links of pictures in Markdown on from an address; not in blocks of code.
func absolutePictures(body, at string) string {
	if !strings.Contains(body, "](") && !strings.Contains(body, "<img") {
		return body
	}
	lines, fence := strings.SplitAfter(body, "\n"), ""
	for i, line := range lines {
		switch t := strings.TrimSpace(line); {
		case fence != "" && strings.HasPrefix(t, fence):
			fence = ""
		case fence != "" || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t"):
		case strings.HasPrefix(t, "```") || strings.HasPrefix(t, "~~~"):
			fence = t[:3]
		default:
			lines[i] = relativePicture.ReplaceAllStringFunc(line, func(link string) string {
				m := relativePicture.FindStringSubmatch(link)
				if u, err := url.Parse(m[2]); err != nil || u.IsAbs() || u.Host != "" || strings.HasPrefix(u.Path, "/") || u.Path == "" {
					return link
				}
				return m[1] + at + m[2]
			})
		}
	}
	return strings.Join(lines, "")
}

// plainCause gives the reason of an error about a path, without the path.
func plainCause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
