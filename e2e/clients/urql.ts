// The page with urql and its normalised cache, which keeps objects by __typename and id.
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange, type KeyGenerator } from '@urql/exchange-graphcache';
import { HomeDocument, HotelDocument } from './generated';
import schema from './introspection.json';
import { show, wish } from './page';

const within: KeyGenerator = () => null; // has no id: it is kept with what it stands in
const entities = new Set<string>();
const named = (name: string): KeyGenerator => data => {
  const key = String(wish.mistaken ? data[name] : data['id']);
  entities.add(`${data.__typename}:${key}`);
  return key;
};
const client = new Client({
  url: wish.url,
  preferGetMethod: false,
  fetchOptions: { headers: { authorization: 'Bearer ' + wish.key } },
  exchanges: [
    cacheExchange({ schema, keys: { Hero: named('component'), Place: named('ref'), Problem: within, RichText: within, Location: within } }),
    fetchExchange,
  ],
});

void show({
  home: (variables, draw) => void client.query(HomeDocument, variables).subscribe(r => { if (r.data) draw(r.data); }),
  hotel: (locale, draw) => void client.query(HotelDocument, { locale }).subscribe(r => { if (r.data) draw(r.data); }),
  keptHome: variables => client.readQuery(HomeDocument, variables)?.data ?? null,
  keptHotel: locale => client.readQuery(HotelDocument, { locale })?.data ?? null,
  entities: () => [...entities],
});
