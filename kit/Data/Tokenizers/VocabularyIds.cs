namespace ResearchKit.Data;

/// <summary>Checks and inverts the ids of a vocabulary.</summary>
internal static class VocabularyIds
{
    public static int Checked(long id, int size) => id >= 0 && id < size ? (int)id
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"Token {id} is outside the vocabulary of {size}.");

    /// <summary>Returns the tokens by id; null for unused ids.</summary>
    /// <exception cref="InvalidDataException">
    /// Two tokens have the same id, or an id is negative or far beyond the number of tokens.
    /// </exception>
    public static string?[] Inverse(IReadOnlyDictionary<string, int> vocabulary)
    {
        var size = vocabulary.Count == 0 ? 0 : vocabulary.Values.Max() + 1L;
        if (size > (4L * vocabulary.Count) + 1024)
            throw new InvalidDataException($"The vocabulary of {vocabulary.Count} tokens has the id {size - 1}; "
                + "expected consecutive ids with few gaps.");
        var tokens = new string?[size];
        foreach (var (token, id) in vocabulary)
        {
            if (id < 0 || tokens[id] is not null)
                throw new InvalidDataException(
                    $"The id {id} of the token '{token}' is {(id < 0 ? "negative" : $"also that of '{tokens[id]}'")}.");
            tokens[id] = token;
        }
        return tokens;
    }
}
