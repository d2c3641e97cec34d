using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>The classifier of tokens in the folders of transformers: <c>BertForTokenClassification</c>.</summary>
public static class BertForTokenClassificationPretrained
{
    private static readonly PretrainedFormat<BertForTokenClassification, BertConfig> Format = BertFormat.Classifier(
        "BertForTokenClassification", ["pooler.*"], config => new BertForTokenClassification(config), model => model.Config);

    extension(BertForTokenClassification model)
    {
        /// <summary>A model in evaluation mode, from a folder with <c>config.json</c> and weights as published ones are.</summary>
        /// <remarks>The folder must have the head; a pooler is ignored.</remarks>
        /// <param name="folder">Where they are.</param>
        /// <param name="mapped">True puts float32 parameters on the pages of the file, as in <see cref="GptPretrained"/>; false reads all into memory at once.</param>
        /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
        /// <exception cref="FileNotFoundException">It has no configuration or no weights.</exception>
        /// <exception cref="InvalidDataException">Its files are damaged, describe another architecture, or do not fit each other; says how.</exception>
        public static BertForTokenClassification FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c> as transformers does.</summary>
        /// <param name="folder">Where to; is made if it is not there.</param>
        /// <param name="maximumShardBytes">Most bytes of tensors in one file; more make several, with an index.</param>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
    }
}
