/** An ARN, or a URL. A line may end behind each of its parts, and nowhere else. */
export function Arn({ text }: { text: string }) {
  return (
    <>
      {text.split(/(?<=[:/])/).map((part, at) => (
        <span key={at}>
          {part}
          <wbr />
        </span>
      ))}
    </>
  );
}
