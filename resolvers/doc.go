// Package resolvers answers the fields of the schema, one short method per field, by subject.
//
// Delivered things (experiences, resources, routes) are graph.Objects, written by the projector;
// managed things (compositions, audiences, keys' view of the config) are gqlgen's models. It
// decides nothing: engine decides and assembles, graph guards, the store keeps.
package resolvers
