// Must not compile: a prop that Hero does not have, a number where words are, and null forgotten.
import type { HomeQuery, HomeQueryVariables } from './generated';

type Hero = Extract<HomeQuery['experience']['components'][number], { __typename: 'Hero' }>;
export const misspelled = (h: Hero) => h.headlin;
export const forgotten = (h: Hero): string => h.headline;
export const number: HomeQueryVariables = { locale: 1 };
