// Package tutti holds the words of the product as Go types: refs, resources, compositions,
// attributes, plans, experiences, and the codes of what can go wrong.
//
// It imports the standard library only and does no I/O. Every other room may import it; it
// imports none of them.
package tutti
