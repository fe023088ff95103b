package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// apiFlags say which server to speak to. They are part of several commands.
type apiFlags struct {
	URL string `name:"url" help:"The server's API." default:"http://127.0.0.1:8080/graphql" env:"TUTTI_URL"`
	Key string `help:"A management key. Better in the environment than on the command line." env:"TUTTI_MANAGEMENT_KEY"`
}

// api is a client of the GraphQL API with a management key.
type api struct {
	url    string
	key    tutti.Secret
	client *fetch.Client
}

// maxAnswer is the most that one page of documents may take.
const maxAnswer = 64 << 20

// connect makes a client. It calls nobody.
func (f apiFlags) connect() (*api, error) {
	u, err := url.Parse(f.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, &tutti.Error{Code: tutti.BadRequest, Message: "--url is no http or https address.", Hint: "Write, for example:  --url https://api.example.com/graphql"}
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/graphql"
	}
	if f.Key == "" {
		return nil, &tutti.Error{Code: tutti.Unauthenticated, Message: "This needs a management key.", Hint: "Make one with  tutti keys create NAME --class management  and set TUTTI_MANAGEMENT_KEY."}
	}
	return &api{url: u.String(), key: tutti.NewSecret(f.Key), client: fetch.New(fetch.Config{AllowPrivate: []string{u.Host, u.Hostname()}, MaxBytes: maxAnswer, UserAgent: "tutti-cli"})}, nil
}

// refusal is one error of an answer.
type refusal struct {
	Message    string `json:"message"`
	Extensions struct {
		Code  tutti.Code `json:"code"`
		Field string     `json:"field"`
		Hint  string     `json:"hint"`
	} `json:"extensions"`
}

// refusals are the errors of one answer.
type refusals []refusal

// Error writes one error on each line.
func (r refusals) Error() string {
	var lines []string
	for _, e := range r {
		s := e.Message
		if e.Extensions.Field != "" {
			s = e.Extensions.Field + ": " + s
		}
		if e.Extensions.Hint != "" {
			s += " " + e.Extensions.Hint
		}
		lines = append(lines, s)
	}
	return strings.Join(lines, "\n")
}

// Is reports whether target is the code of one of the errors.
func (r refusals) Is(target error) bool {
	for _, e := range r {
		if target == e.Extensions.Code {
			return true
		}
	}
	return false
}

// do sends one operation and reads its data into out. What the server refuses is refusals.
func (a *api) do(ctx context.Context, query string, variables map[string]any, out any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return tutti.Errorf(tutti.Internal, "writing a request: %w", err)
	}
	header := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/graphql-response+json, application/json"}, "Authorization": {"Bearer " + a.key.Reveal()},
	}
	r, err := a.client.Do(ctx, fetch.Request{Method: http.MethodPost, URL: a.url, Header: header, Body: body, MaxBytes: maxAnswer})
	if err != nil {
		return &tutti.Error{Code: tutti.CodeOf(err), Message: "The server at " + a.url + " does not answer.", Hint: "Does it run? (tutti serve)", Cause: err}
	}
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors refusals        `json:"errors"`
	}
	if err := json.Unmarshal(r.Body, &answer); err != nil || answer.Data == nil && len(answer.Errors) == 0 {
		return &tutti.Error{Code: tutti.BadAnswer, Message: fmt.Sprintf("What answers at %s (status %d) is no GraphQL API.", a.url, r.Status), Hint: "Is --url right?"}
	}
	if len(answer.Errors) > 0 {
		switch answer.Errors[0].Extensions.Code {
		case tutti.Unauthenticated, tutti.Forbidden:
			return &tutti.Error{Code: answer.Errors[0].Extensions.Code, Message: "The server does not take this key: " + answer.Errors[0].Message, Hint: "It must be a management key that is neither revoked nor expired. (tutti keys list)"}
		}
		return answer.Errors
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		return tutti.Errorf(tutti.BadAnswer, "reading the server's answer: %w", err)
	}
	return nil
}
