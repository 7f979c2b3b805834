/** One word for a POSIX shell, whatever is in it: within single quotes nothing is special but the quote. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
