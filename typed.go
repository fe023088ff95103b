package tutti

// GraphQLType is the type of the prop's field on its component type's object type; "" for a prop
// type that does not exist. It is always nullable: missing is not failing.
//
// A resource is typed by what the prop accepts where that is one resource type, else it is any
// Resource. The values of a string stay a String, so that an app which is older than a new value
// can read it.
func (p PropDefinition) GraphQLType() string {
	switch p.Type {
	case PropText, PropString:
		return "String"
	case PropRichText:
		return "RichText"
	case PropInt:
		return "Int"
	case PropFloat:
		return "Float"
	case PropBoolean:
		return "Boolean"
	case PropDateTime:
		return "DateTime"
	case PropMoney:
		return "Money"
	case PropURL:
		return "URL"
	case PropPlace:
		return "Location"
	case PropJSON:
		return "JSON"
	case PropResource:
		if len(p.Accepts) == 1 {
			return string(p.Accepts[0])
		}
		return "Resource"
	case PropResources:
		return "ResourceConnection"
	}
	return ""
}
