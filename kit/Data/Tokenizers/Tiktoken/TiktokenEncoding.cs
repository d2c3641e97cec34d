namespace ResearchKit.Data;

/// <summary>What a tiktoken file does not say: how texts are split into words, and the special tokens.</summary>
/// <remarks>https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py.</remarks>
public sealed record TiktokenEncoding
{
    private const string Cl100kPattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        + @"|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The regular expression of the words.</summary>
    public required string Pattern { get; init; }

    /// <summary>Ids of the special tokens by their text.</summary>
    public IReadOnlyDictionary<string, int> Special { get; init; } = new Dictionary<string, int>();

    /// <summary>The token at the beginning of a text; null for none.</summary>
    public string? Beginning { get; init; }

    /// <summary>The token at the end of a text; null for none.</summary>
    public string? End { get; init; }

    /// <summary>GPT-2's encoding, also called gpt2; 50,256 ranks.</summary>
    public static TiktokenEncoding R50kBase { get; } = new()
    {
        Pattern = @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        Special = new Dictionary<string, int> { ["<|endoftext|>"] = 50256 },
        End = "<|endoftext|>",
    };

    /// <summary>Codex's encoding; 50,280 ranks.</summary>
    public static TiktokenEncoding P50kBase { get; } = R50kBase;

    /// <summary>GPT-4's encoding; 100,256 ranks.</summary>
    public static TiktokenEncoding Cl100kBase { get; } = new()
    {
        Pattern = Cl100kPattern,
        Special = new Dictionary<string, int>
        {
            ["<|endoftext|>"] = 100257,
            ["<|fim_prefix|>"] = 100258,
            ["<|fim_middle|>"] = 100259,
            ["<|fim_suffix|>"] = 100260,
            ["<|endofprompt|>"] = 100276,
        },
        End = "<|endoftext|>",
    };

    /// <summary>GPT-4o's encoding; 199,998 ranks.</summary>
    public static TiktokenEncoding O200kBase { get; } = new()
    {
        Pattern = string.Join('|',
            @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            @"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
        Special = new Dictionary<string, int> { ["<|endoftext|>"] = 199999, ["<|endofprompt|>"] = 200018 },
        End = "<|endoftext|>",
    };

    /// <summary>The first Qwen models' encoding; 151,643 ranks.</summary>
    public static TiktokenEncoding Qwen { get; } = new()
    {
        Pattern = Cl100kPattern.Replace("{1,3}", "", StringComparison.Ordinal),
        Special = new[] { "<|endoftext|>", "<|im_start|>", "<|im_end|>" }
            .Concat(Enumerable.Range(0, 205).Select(number => $"<|extra_{number}|>"))
            .Select((token, at) => (token, at)).ToDictionary(entry => entry.token, entry => 151_643 + entry.at),
        End = "<|endoftext|>",
    };

    /// <summary>
    /// Llama 3's encoding: 256 special tokens follow the ranks, with the names of Llama 3.1. (Llama 3 has the same at the same
    /// ids, except that those for padding, Python and tool calls were still reserved.)
    /// </summary>
    /// <param name="ranks">Number of ranks of the file; 128,000 in the published one.</param>
    /// <remarks>https://github.com/meta-llama/llama3/blob/main/llama/tokenizer.py.</remarks>
    public static TiktokenEncoding Llama3(int ranks = 128_000)
    {
        string[] named = ["<|begin_of_text|>", "<|end_of_text|>", Reserved(0), Reserved(1), "<|finetune_right_pad_id|>",
            Reserved(2),
            "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"];
        return new()
        {
            Pattern = Cl100kPattern,
            Special = named.Concat(Enumerable.Range(3, 256 - named.Length).Select(Reserved)).Select((token, at) => (token, at))
                .ToDictionary(entry => entry.token, entry => ranks + entry.at),
            Beginning = "<|begin_of_text|>",
            End = "<|end_of_text|>",
        };

        static string Reserved(int number) => $"<|reserved_special_token_{number}|>";
    }

    /// <summary>Returns OpenAI's or Qwen's encoding with this number of ranks; null for other numbers.</summary>
    internal static TiktokenEncoding? WithRanks(int ranks) => ranks switch
    {
        50_256 => R50kBase,
        50_280 => P50kBase,
        100_256 => Cl100kBase,
        151_643 => Qwen,
        199_998 => O200kBase,
        _ => null,
    };
}
