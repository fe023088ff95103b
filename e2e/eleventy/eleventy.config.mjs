// A blog of which the newest three posts are in its feeds.
import { feedPlugin } from "@11ty/eleventy-plugin-rss";

export default function (eleventy) {
  for (const type of ["rss", "atom", "json"]) {
    eleventy.addPlugin(feedPlugin, {
      type,
      outputPath: `/${type}.feed`,
      collection: { name: "posts", limit: 3 },
      metadata: { language: "en", title: "News of the harbour", subtitle: "What ships bring", base: "https://blog.example/", author: { name: "Ana" } },
    });
  }
  return { dir: { input: process.env.POSTS, output: process.env.SITE } };
}
