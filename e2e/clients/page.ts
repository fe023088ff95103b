// What both pages do, over the types that graphql-codegen made: a panel each for two variants of one
// component and for two languages of one resource, drawn again whenever the client's cache says so.
import type { HomeQuery, HomeQueryVariables, HotelQuery } from './generated';

/** What a client must be able to do. Both queries are answered by the cache where it can. */
export interface Client {
  /** Calls draw with each state of the answer, for as long as the page lives. */
  home(variables: HomeQueryVariables, draw: (data: HomeQuery) => void): void;
  hotel(locale: string, draw: (data: HotelQuery) => void): void;
  /** What the cache alone knows; null when it must ask. */
  keptHome(variables: HomeQueryVariables): HomeQuery | null;
  keptHotel(locale: string): HotelQuery | null;
  /** The names of the entities that it keeps. */
  entities(): string[];
}

/** What the page was opened with, in the address after #. */
export interface Wish {
  url: string;
  key: string;
  /** Tell entities apart by their stable names, as nobody should: the panels must then be wrong. */
  mistaken: boolean;
}

export const wish: Wish = JSON.parse(decodeURIComponent(location.hash.slice(1)));

export const nobody: HomeQueryVariables = { locale: 'en', context: { consent: { personalization: true }, attributes: { party: 'solo' } } };
export const family: HomeQueryVariables = { locale: 'en', context: { consent: { personalization: true }, attributes: { party: 'family' } } };

const welcome = (data: HomeQuery | null): string => {
  const hero = data?.experience.components.find(c => c.component === 'welcome');
  return hero?.__typename === 'Hero' ? `${hero.variant ?? 'baseline'}: ${hero.headline} (${hero.image?.url})` : 'none';
};

const hotel = (data: HotelQuery | null): string => {
  const r = data?.resource;
  return r?.__typename === 'Place' ? `${r.locale}: ${r.title}, ${r.description?.html}` : 'none';
};

/** Opens the panels one after the other, so that what comes later could spoil what is there. */
export async function show(client: Client): Promise<void> {
  await panel('nobody', draw => client.home(nobody, d => draw(welcome(d))));
  await panel('family', draw => client.home(family, d => draw(welcome(d))));
  await panel('english', draw => client.hotel('en', d => draw(hotel(d))));
  await panel('german', draw => client.hotel('de', d => draw(hotel(d))));
  await new Promise(requestAnimationFrame); // whatever a cache has to tell, it has told
  document.querySelector('#kept')!.textContent = JSON.stringify({
    nobody: welcome(client.keptHome(nobody)), family: welcome(client.keptHome(family)),
    english: hotel(client.keptHotel('en')), german: hotel(client.keptHotel('de')),
  });
  document.querySelector('#entities')!.textContent = JSON.stringify(client.entities().sort());
  document.body.dataset['done'] = 'yes';
}

/** Resolves when the panel was drawn for the first time. */
function panel(id: string, watch: (draw: (words: string) => void) => void): Promise<void> {
  return new Promise(drawn => watch(words => {
    document.querySelector('#' + id)!.textContent = words;
    drawn();
  }));
}
