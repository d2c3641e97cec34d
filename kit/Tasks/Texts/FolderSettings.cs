using ResearchKit.Checkpoints;
using ResearchKit.Data;

namespace ResearchKit.Tasks;

/// <summary>Settings of a published model beside its configuration.</summary>
internal static class FolderSettings
{
    private const string TokenizerConfig = "tokenizer_config.json";

    /// <summary>Returns a flag of <c>tokenizer_config.json</c>; <paramref name="absent"/> without the file or the flag.</summary>
    public static bool Flag(string folder, string name, bool absent) =>
        File.Exists(Path.Combine(folder, TokenizerConfig)) ? ConfigFile.Read(folder, TokenizerConfig).Flag(name, absent) : absent;

    /// <summary>Reads the tokenizer of a BERT.</summary>
    /// <exception cref="InvalidDataException">The folder has another kind of tokenizer.</exception>
    public static WordPieceTokenizer WordPieces(string folder) => PretrainedTokenizers.FromFolder(folder) as WordPieceTokenizer
        ?? throw new InvalidDataException($"{folder} has a {PretrainedTokenizers.FromFolder(folder).GetType().Name}; "
            + "expected the WordPiece tokenizer of a BERT.");
}
