export const renderHtml = (r) => `<pre>${JSON.stringify(r)}</pre>`;
