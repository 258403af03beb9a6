import { Anchor } from "@mantine/core";
import { memo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";

const plugins = [remarkGfm];

const components: Components = {
  a: ({ href, children }) => (
    <Anchor href={href} rel="noreferrer noopener" target="_blank">
      {children}
    </Anchor>
  ),
  // Foreign pictures would tell their host who reads this; the policy blocks them anyway.
  img: ({ src, alt }) => (
    <Anchor href={typeof src === "string" ? src : undefined} rel="noreferrer noopener" target="_blank">
      {alt === undefined || alt === "" ? "picture" : alt}
    </Anchor>
  ),
};

/** Answers as text; HTML in them is shown, never run. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className="markdown">
      <ReactMarkdown components={components} remarkPlugins={plugins}>
        {text}
      </ReactMarkdown>
    </div>
  );
});
