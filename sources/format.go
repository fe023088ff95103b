package sources

import (
	"github.com/tuttihq/tutti/internal/fetch"
)

// convert makes JSON of a good answer that is none.
func (k *call) convert(res *fetch.Response, at string) error {
	body, err := readFeed(res.Body, at)
	if err != nil {
		return err
	}
	res.Free() // what is read of it was copied
	res.Body = body
	res.Header = res.Header.Clone()
	res.Header.Set("Content-Type", "application/json")
	return nil
}
