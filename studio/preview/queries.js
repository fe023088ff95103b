export const SETTING = `query Setting {
  channels { name description speech message }
  locales
  personas { name description visitor location { lat lon } locale consent attributes }
  compositions(first: 100) { nodes { id title draft { body changed } published { number body } } }
  componentTypes { name description props { name type } }
}`;

export const EXPERIENCE = `query Preview($composition: ID!, $params: JSON, $channel: ID!, $locale: Locale, $preview: PreviewInput) {
  experience(composition: $composition, params: $params, channel: $channel, locale: $locale, preview: $preview) {
    id title version validUntil
    holds { place within { lat lon radiusMeters inside } }
    meta { title description }
    freshness { state asOf }
    problems { path ref code message stale }
    locales { path asked got }
    slots { name why { ...Why } components { id } }
    components {
      id component type variant parent slot path personal props assembled
      freshness { state asOf }
      actions { label intent href deepLink expiresAt }
      why { ...Why }
      origins { source ref prop cached freshness { state asOf } }
    }
    speech { ssml text reprompt }
    message { text image { alt url } buttons { label href } }
  }
}
fragment Why on Decision {
  variant reason
  rules { variant rule result inWindow error attributes { name known withheld result } }
}`;

export const PLACE = `query Place($ref: Ref!) { resource(ref: $ref) { title ref ... on Place { location { lat lon } } } }`;

export const SOURCES = `query Sources { sources { name connector health { state medianLatency lastError } drifts { kind pointer was is since fields compositions } } }`;
