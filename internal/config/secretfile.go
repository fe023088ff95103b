package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxSecretFile is the most of a file that ${file:…} names.
const maxSecretFile = 64 << 10

// readValue gives the content of a file that ${file:…} names, without the line's end that editors and shells put
// after it. A path that is not absolute is relative to the config file. The error tells the reason and nothing of
// the content.
func readValue(config, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(config), path)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("is not there")
	case err != nil:
		return "", errors.New("cannot be read")
	case !info.Mode().IsRegular():
		return "", errors.New("is no file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", errors.New("cannot be read")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", errors.New("cannot be read")
	}
	if len(b) > maxSecretFile {
		return "", errors.New("is larger than 64 KiB")
	}
	v := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if v == "" {
		return "", errors.New("is empty")
	}
	return v, nil
}
