namespace ResearchKit.Data;

/// <summary>A part of a text, which is split further or which the model encodes.</summary>
/// <param name="Source">The text.</param>
/// <param name="Start">Index of the first character in <paramref name="Source"/>.</param>
/// <param name="Length">Number of characters.</param>
/// <param name="AtStart">Whether the part is at the beginning of the text that the user gave.</param>
internal readonly record struct Word(string Source, int Start, int Length, bool AtStart)
{
    public Word(string text, bool atStart) : this(text, 0, text.Length, atStart) { }

    public ReadOnlySpan<char> Span => Source.AsSpan(Start, Length);

    public Word Part(int start, int length) => new(Source, Start + start, length, AtStart && start == 0);

    public override string ToString() => Length == Source.Length ? Source : Source.Substring(Start, Length);
}

/// <summary>Splits a word and adds the parts to a list; a pre-tokenizer of <c>tokenizer.json</c>.</summary>
internal delegate void WordCutter(Word word, List<Word> parts);
