using ResearchKit.Layers;

namespace ResearchKit.Checkpoints;

/// <summary>The layer with the names and arguments of <c>torch.nn.GRU</c>.</summary>
public static class GruPretrained
{
    private static readonly PretrainedFormat<Gru, RecurrentShape> Format = RecurrentFormat.Of("GRU", shape => new Gru(shape));

    extension(Gru model)
    {
        /// <summary>The layer in evaluation mode, from a folder with <c>config.json</c> and weights by the published names.</summary>
        /// <remarks>The configuration's <c>architecture</c> is <c>torch.nn.GRU</c>; arguments may also be fields of their own.</remarks>
        /// <param name="folder">Where they are.</param>
        /// <param name="mapped">True puts float32 parameters on the pages of the file, as in <see cref="GptPretrained"/>; false reads all into memory at once.</param>
        /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
        /// <exception cref="FileNotFoundException">It has no configuration or no weights.</exception>
        /// <exception cref="InvalidDataException">Its files are damaged, describe another architecture, or do not fit each other; says how.</exception>
        public static Gru FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <summary>Writes <c>config.json</c> with the constructor's arguments and <c>model.safetensors</c> with the published names.</summary>
        /// <param name="folder">Where to; is made if it is not there.</param>
        /// <param name="maximumShardBytes">Most bytes of tensors in one file; more make several, with an index.</param>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
    }
}
