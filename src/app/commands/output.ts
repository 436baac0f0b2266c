/** One line of a command's answer. */
export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
