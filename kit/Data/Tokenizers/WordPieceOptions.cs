namespace ResearchKit.Data;

/// <summary>How BERT cuts a text into words before it looks up their pieces.</summary>
public sealed record WordPieceOptions
{
    /// <summary>transformers' BertTokenizer for uncased vocabularies.</summary>
    public static WordPieceOptions Uncased { get; } = new();

    /// <summary>transformers' BertTokenizer for cased vocabularies.</summary>
    public static WordPieceOptions Cased { get; } = new() { LowerCase = false };

    /// <summary>The tokenizer of the original BERT code (google-research/bert, tokenization.py), uncased.</summary>
    public static WordPieceOptions Original { get; } =
        new() { LongestWord = 200, FindSpecialTokens = false, LowerCaseWholeWords = true };

    /// <summary>Lower-case the text.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>Drop accents (non-spacing marks); null to do so where the text is lower-cased.</summary>
    public bool? StripAccents { get; init; }

    /// <summary>Make a word of each CJK ideograph.</summary>
    public bool SplitIdeographs { get; init; } = true;

    /// <summary>A word of more code points is unknown.</summary>
    public int LongestWord { get; init; } = 100;

    /// <summary>Take [CLS], [SEP], [MASK], [PAD] and [UNK] in a text for the special tokens.</summary>
    public bool FindSpecialTokens { get; init; } = true;

    /// <summary>
    /// Lower-case words and not characters one by one: a capital sigma that ends a word becomes the final form.
    /// </summary>
    public bool LowerCaseWholeWords { get; init; }
}
