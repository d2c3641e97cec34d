using System.Text;

namespace ResearchKit.Data;

/// <summary>
/// The printable characters with which byte-level vocabularies represent bytes (Radford et al., 2019,
/// encoder.py).
/// </summary>
internal static class ByteSymbols
{
    private static readonly char[] OfByte = Symbols();
    private static readonly Dictionary<char, byte> OfSymbol = OfByte.Select((symbol, value) => (symbol, value))
        .ToDictionary(pair => pair.symbol, pair => (byte)pair.value);

    /// <summary>The symbol of each byte.</summary>
    public static ReadOnlySpan<char> All => OfByte;

    public static string Write(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes) text.Append(OfByte[value]);
        return text.ToString();
    }

    /// <summary>
    /// Returns the bytes of a token. If a character of it is not a symbol, the token stands for its own UTF-8.
    /// </summary>
    public static IEnumerable<byte> Read(string token) => token.All(OfSymbol.ContainsKey)
        ? token.Select(symbol => OfSymbol[symbol]) : Encoding.UTF8.GetBytes(token);

    private static char[] Symbols()
    {
        var symbols = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
            symbols[value] = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)value : (char)next++;
        return symbols;
    }
}
