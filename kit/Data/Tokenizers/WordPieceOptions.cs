namespace ResearchKit.Data;

/// <summary>Options of BERT's splitting of a text into words.</summary>
public sealed record WordPieceOptions
{
    /// <summary>transformers' BertTokenizer for uncased vocabularies.</summary>
    public static WordPieceOptions Uncased { get; } = new();

    /// <summary>transformers' BertTokenizer for cased vocabularies.</summary>
    public static WordPieceOptions Cased { get; } = new() { LowerCase = false };

    /// <summary>The tokenizer of the original BERT code (google-research/bert, tokenization.py), uncased.</summary>
    public static WordPieceOptions Original { get; } =
        new() { LongestWord = 200, FindSpecialTokens = false, LowerCaseWholeWords = true };

    /// <summary>Whether to lower-case the text.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>Whether to strip accents (non-spacing marks); null to do it if the text is lower-cased.</summary>
    public bool? StripAccents { get; init; }

    /// <summary>Whether each CJK ideograph becomes a word.</summary>
    public bool SplitIdeographs { get; init; } = true;

    /// <summary>Maximum length of a word in code points; a longer word becomes [UNK].</summary>
    public int LongestWord { get; init; } = 100;

    /// <summary>Whether [CLS], [SEP], [MASK], [PAD] and [UNK] in a text are recognized as special tokens.</summary>
    public bool FindSpecialTokens { get; init; } = true;

    /// <summary>
    /// Whether words are lower-cased as a whole instead of character by character, so that a capital sigma at the
    /// end of a word becomes the final form.
    /// </summary>
    public bool LowerCaseWholeWords { get; init; }
}
