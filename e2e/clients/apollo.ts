// The page with Apollo Client. Its cache keeps objects by __typename and id.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { HomeDocument, HotelDocument } from './generated';
import possible from './possible-types.json';
import { show, wish } from './page';

const cache = new InMemoryCache({
  possibleTypes: possible.possibleTypes, // which types are components and resources
  ...(wish.mistaken && { typePolicies: { Hero: { keyFields: ['component'] }, Place: { keyFields: ['ref'] } } }),
});
const client = new ApolloClient({ cache, link: new HttpLink({ uri: wish.url, headers: { authorization: 'Bearer ' + wish.key } }) });

void show({
  home: (variables, draw) => void client.watchQuery({ query: HomeDocument, variables }).subscribe(r => { if (r.dataState === 'complete') draw(r.data); }),
  hotel: (locale, draw) => void client.watchQuery({ query: HotelDocument, variables: { locale } }).subscribe(r => { if (r.dataState === 'complete') draw(r.data); }),
  keptHome: variables => client.readQuery({ query: HomeDocument, variables }),
  keptHotel: locale => client.readQuery({ query: HotelDocument, variables: { locale } }),
  entities: () => Object.keys(cache.extract()),
});
