namespace ResearchKit.Models;

/// <summary>
/// The channels of a convolutional network's layers: the usual ones, but for those that the configuration names.
/// </summary>
internal sealed class ChannelWidths
{
    private readonly IReadOnlyDictionary<string, int> own;
    private readonly HashSet<string> known;
    private readonly string prefix;

    /// <param name="own">Channels by the name of the layer; null for none.</param>
    public ChannelWidths(IReadOnlyDictionary<string, int>? own) : this(own ?? new Dictionary<string, int>(), [], "")
    {
    }

    private ChannelWidths(IReadOnlyDictionary<string, int> own, HashSet<string> known, string prefix)
    {
        this.own = own;
        this.known = known;
        this.prefix = prefix;
    }

    /// <summary>The widths of the layers inside a module.</summary>
    public ChannelWidths In(string module) => new(own, known, $"{prefix}{module}.");

    /// <summary>Returns the channels of a layer.</summary>
    /// <param name="layer">Its name inside the module.</param>
    /// <param name="usual">Its channels if the configuration does not name it.</param>
    public int Of(string layer, int usual)
    {
        known.Add(prefix + layer);
        return own.GetValueOrDefault(prefix + layer, usual);
    }

    /// <summary>Throws if the configuration names a layer that does not exist, or a width below 1.</summary>
    /// <exception cref="ArgumentException">It does.</exception>
    public void Check()
    {
        foreach (var (name, width) in own)
        {
            if (!known.Contains(name))
                throw new ArgumentException($"Channels names {name}; the layers whose channels can be chosen are "
                    + $"{string.Join(", ", known.Order(StringComparer.Ordinal))}.");
            if (width < 1) throw new ArgumentException($"Channels gives {name} {width} channels; expected at least 1.");
        }
    }
}
