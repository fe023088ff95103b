package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

// reservedTypes are the names that the API's own schema takes; a test compares them with it.
var reservedTypes = []string{
	"Access", "Action", "Alternate", "Article", "Asset", "Attribute", "AttributeRead", "AttributesInput", "Audience", "AuditAction", "AuditConnection",
	"AuditEntry", "Boolean", "Button", "Channel", "Circle", "Component", "ComponentType", "Composition", "CompositionConnection", "CompositionDraft",
	"CompositionType", "CompositionVersion", "CompositionVersionConnection", "ConsentInput", "ContextInput", "DateTime", "Decision", "DocumentKind", "Drift",
	"ErrorCode", "Experience", "Float", "Focal", "ForcedVariantInput", "Freshness", "FreshnessState", "HealthState", "Holds", "Hole", "HoleForm", "Int", "InvalidateMode",
	"Invalidation", "JSON", "Judgement", "KeyClass", "Kind", "LeftOut", "Locale", "LocaleUsed", "Location", "MemberContextInput", "Message", "Meta", "ModerateInput", "ModerationConnection", "ModerationItem", "ModerationState", "Money", "Mutation", "Operation",
	"OperationConnection", "OperationInput", "Origin", "PageInfo", "PagePart", "Persona", "PersonaInput", "PerspectiveInput", "PerspectiveState", "Place",
	"PlaceDependence", "PlaceInput", "PlanError", "PlanGroup", "PlanMember", "PlanRefusal", "PlansEvent", "PlansProgress", "PreviewInput", "Problem", "Product", "PropDefinition", "Publication", "PublicationConnection", "Purpose", "PushOperationsPayload",
	"Query", "Reason", "Record", "Redirect", "RedirectInput", "RedirectList", "Ref", "Resource", "ResourceConnection", "RichText", "RouteConnection",
	"RouteEntry", "RoutePage", "RouteRedirect", "RouteResult", "RuleResult", "SaveCompositionPayload", "Sensitivity", "Slot", "SlotDefinition", "SlotHash",
	"SocialPost", "Source", "SourceHealth", "Speech", "String", "Subscription", "SupportTicket", "SuppressPayload", "Suppression", "Touch", "TouchHow", "Trust",
	"Truth", "URL", "UnknownComponent", "Verdict", "Warning",
}

// reservedProps are the fields that every component has.
var reservedProps = []string{
	"id", "component", "type", "version", "variant", "props", "actions", "parent", "slot", "path", "slots", "resource", "resources", "freshness", "personal", "why", "assembled", "origins",
}

var graphName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$`)

func (k *checker) componentTypes() {
	var names, channels []string
	for _, t := range k.c.ComponentTypes {
		names = append(names, t.Name)
	}
	for _, c := range k.c.Channels {
		channels = append(channels, c.Name)
	}
	typed := map[string]typedAt{}
	for _, t := range k.c.ComponentTypes {
		path := "componentTypes." + t.Name
		if !graphName.MatchString(t.Name) || len(t.Name) > 64 {
			k.bad(path, "becomes a GraphQL type: write letters and digits, such as Hero", "")
		} else if slices.Contains(reservedTypes, t.Name) {
			k.bad(path, "is a type of the API already: choose another name, such as "+t.Name+"Card", "")
		}
		for _, p := range t.Props {
			at := path + ".props." + p.Name
			k.prop(at, p)
			k.oneType(at, p, typed)
		}
		k.migrations(path+".migrations", &t)
		k.downlevel(path+".downlevel", &t, typed)
		k.slots(path+".slots", t.Slots, names)
		for _, channel := range slices.Sorted(maps.Keys(t.Templates)) {
			template, at := t.Templates[channel], path+".templates."+channel
			if !slices.Contains(channels, channel) {
				k.unknownName(at, channel, "channel", channels)
			}
			if p, ok := t.Prop(template.Image); template.Image != "" && (!ok || p.Type != tutti.PropResource) {
				k.bad(at+".image", "must name a prop of type resource, not "+quoted(template.Image), "image: picture")
			}
		}
	}
}

func (k *checker) prop(path string, p tutti.PropDefinition) {
	if !graphName.MatchString(p.Name) || len(p.Name) > 64 {
		k.bad(path, "becomes a GraphQL field: write letters and digits, such as headline", "")
	} else if slices.Contains(reservedProps, p.Name) {
		k.bad(path, "is a field of every component already: choose another name", "")
	}
	k.missing(path+".type", p.Type == "", "type: text")
	words := p.Type == tutti.PropText || p.Type == tutti.PropRichText || p.Type == tutti.PropString
	only := func(key string, given, fits bool, types string) {
		if given && !fits && p.Type != "" {
			k.bad(path+"."+key, "is for props of type "+types+", not "+string(p.Type), "")
		}
	}
	only("values", len(p.Values) > 0, p.Type == tutti.PropString, "string")
	only("accepts", len(p.Accepts) > 0, p.Type == tutti.PropResource || p.Type == tutti.PropResources, "resource or resources")
	only("maxLength", p.MaxLength != 0, words, "text, richText or string")
	only("cut", p.Cut, words, "text, richText or string")
	only("first", p.First != 0, p.Type == tutti.PropResources, "resources")
	if p.Cut && p.MaxLength == 0 {
		k.bad(path+".cut", "needs maxLength", "maxLength: 80")
	}
	if p.MaxLength < 0 {
		k.bad(path+".maxLength", "must not be negative", "maxLength: 80")
	}
	if p.First < 0 || p.First > 100 {
		k.bad(path+".first", "must be from 1 to 100", "first: 10")
	}
}

// typedAt is where a prop name got its GraphQL type.
type typedAt struct {
	path string
	prop tutti.PropDefinition
}

// oneType tells of a prop name that stands for another GraphQL type elsewhere: no operation could
// select both.
func (k *checker) oneType(path string, p tutti.PropDefinition, seen map[string]typedAt) {
	own := p.GraphQLType()
	first, known := seen[p.Name]
	other := first.prop.GraphQLType()
	switch {
	case own == "": // told
	case !known:
		seen[p.Name] = typedAt{path, p}
	case other != own:
		write := "type: " + string(first.prop.Type)
		if p.Type == tutti.PropResource && slices.Contains(resourceTypes, other) {
			write = "accepts: [" + other + "]"
		}
		k.bad(path, fmt.Sprintf("is %s in GraphQL, and %s is %s: a prop's name has one type in all component types, so give it that one or another name", own, first.path, other), write)
	}
}

var resourceTypes = enums[reflect.TypeFor[tutti.ResourceType]()]

func (k *checker) slots(path string, slots []tutti.SlotDefinition, types []string) {
	for _, s := range slots {
		at := path + "." + s.Name
		k.name(at, s.Name, "slot")
		for i, a := range s.Allowed {
			if !slices.Contains(types, a) {
				k.unknownName(fmt.Sprintf("%s.allowed[%d]", at, i), a, "component type", types)
			}
		}
		if s.Min < 0 || s.Max < 0 || s.Max > 0 && s.Min > s.Max {
			k.bad(at+".max", "must not be less than min", "max: 5")
		}
	}
}

func (k *checker) compositionTypes() {
	var names []string
	for _, t := range k.c.ComponentTypes {
		names = append(names, t.Name)
	}
	for _, t := range k.c.CompositionTypes {
		path := "compositionTypes." + t.Name
		k.name(path, t.Name, "composition type")
		k.missing(path+".slots", len(t.Slots) == 0, "slots: {main: {}}")
		k.slots(path+".slots", t.Slots, names)
		for _, p := range t.Params {
			k.param(path+".params."+p.Name, p)
		}
	}
}

var paramTypes = []string{"string", "int", "float", "boolean", "ref"}

func (k *checker) param(path string, p tutti.Param) {
	k.name(path, p.Name, "param")
	k.missing(path+".type", p.Type == "", "type: ref")
	if p.Type != "" && !slices.Contains(paramTypes, p.Type) {
		k.bad(path+".type", "is "+quoted(p.Type)+"; it can be "+oneOf(paramTypes), "type: ref")
		return
	}
	if len(p.Kinds) > 0 && p.Type != "ref" {
		k.bad(path+".kinds", "is for params of type ref", "")
	}
	for i, kind := range p.Kinds {
		k.kind(fmt.Sprintf("%s.kinds[%d]", path, i), kind)
	}
	if p.Default != nil && !fitsParam(p.Type, p.Default) {
		k.bad(path+".default", "is no "+p.Type+": "+string(p.Default), "")
	}
}

// kind checks a name such as stay:hotel against the configured sources.
func (k *checker) kind(path, name string) {
	source, kind, ok := strings.Cut(name, ":")
	if !ok {
		k.bad(path, "must be source:kind, not "+quoted(name), "kinds: [stay:hotel]")
		return
	}
	var sources []string
	for _, s := range k.c.Sources {
		sources = append(sources, s.Name)
	}
	s := k.c.Source(source)
	if s == nil {
		k.unknownName(path, source, "source", sources)
		return
	}
	kinds := slices.Sorted(maps.Keys(s.Kinds))
	if !slices.Contains(kinds, kind) {
		k.unknownName(path, kind, "kind of the source "+source, kinds)
	}
}

func fitsParam(kind string, raw json.RawMessage) bool {
	switch kind {
	case "string":
		return json.Unmarshal(raw, new(string)) == nil
	case "int":
		return json.Unmarshal(raw, new(int64)) == nil
	case "float":
		return json.Unmarshal(raw, new(float64)) == nil
	case "boolean":
		return json.Unmarshal(raw, new(bool)) == nil
	}
	return json.Unmarshal(raw, new(tutti.Ref)) == nil
}
