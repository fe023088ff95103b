// Package graph is GraphQL over HTTP: the transport, keys and viewers, operation limits, access
// policies, the schema with one object type per component type, and the presenting of errors.
//
// Everything that a reload of the config may change (schema, limits, policies, analysed
// operations) stands in one immutable Generation; a Server answers each request with the one
// that was current when the request came.
//
// It owns no field's answer: those are in resolvers. It knows no source, no store, no engine,
// and does no I/O but HTTP answers, key lookups through KeyStore, and fetching a JWKS.
package graph
