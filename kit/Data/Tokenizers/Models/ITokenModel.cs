namespace ResearchKit.Data;

/// <summary>The part of a tokenizer that encodes a word with the tokens of a vocabulary.</summary>
internal interface ITokenModel
{
    /// <summary>Adds the ids of a word to a list.</summary>
    void Encode(ReadOnlySpan<char> word, List<int> ids);
}
