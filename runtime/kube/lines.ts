/**
 * Splits a stream of bytes into lines, one array of whole lines per chunk that completed any. A last line without
 * a newline is dropped: the connection was cut in the middle of it.
 *
 * By hand over the body's iterator: `node:readline` throws an error that nobody can catch when the stream is aborted.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf('\n');
    if (end === -1) {
      rest += text;
      continue;
    }
    const lines = (rest + text.slice(0, end)).split('\n');
    rest = text.slice(end + 1);
    yield lines.filter((line) => line !== '');
  }
}
